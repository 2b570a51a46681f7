/** What every map is drawn on: the official outline with its 审图号 where there is one, the bundled
 * outline and the words 示意图 where there is none; the South China Sea on either. */
import { call } from '../../api';
import { registerMap, type ECBasicOption } from '../chain/charts';
import { bundled, type Outline } from '../chain/provinces';
import { covers, geoJsonOf, viewOf, type MapPack, type PackOutline } from './pack';

/** What a map says about itself. */
export interface Mark {
  /** In its corner. */
  text: string;
  /** Under it. */
  note: string;
}
export interface BaseMap extends Mark {
  /** What the chart library knows it by. */
  name: string;
  /** The division that lies beneath its parts. */
  beneath?: string;
}
/** The pack that maps are drawn from; nothing where there is none; `failed` where it did not come. */
export type Found = { pack: MapPack; outline: PackOutline } | 'failed' | undefined;

/** The chart library adds the inset of the South China Sea to the map of exactly this name. */
const CHINA = 'china';
const SKETCH = '示意图';

/** The words of a map that shows this part of the country. */
export function markOf(found: Found, view: string): Mark {
  if (found === 'failed') return { text: SKETCH, note: '底图没有载入，暂以示意图代替，不作为划界依据。' };
  if (!found || !covers(found.pack.coverage, view)) return { text: SKETCH, note: '示意图，不作为划界依据。' };
  const { approval_number, source, issued_year } = found.pack;
  return { text: `审图号：${approval_number}`, note: `底图：${source}，${issued_year} 年，审图号 ${approval_number}。` };
}

let kept: { digest: string; outline: PackOutline } | undefined;
/** The active pack; its outline is fetched once. */
async function active(): Promise<Found> {
  try {
    const { pack } = await call<{ pack: MapPack | null }>('GET', '/api/v1/map-packs/active');
    if (!pack) return undefined;
    if (kept?.digest !== pack.digest) {
      kept = { digest: pack.digest, outline: await call<PackOutline>('GET', `/api/v1/map-packs/active/${pack.digest}`) };
    }
    return { pack, outline: kept.outline };
  } catch {
    return 'failed';
  }
}

/** Makes an outline known to the chart library, and the South China Sea with it. */
export function register(view: string, json: Outline): string {
  if (view === '') {
    registerMap(CHINA, json);
    return CHINA;
  }
  // The inset alone: the library puts it on an empty map as well.
  registerMap(CHINA, { type: 'FeatureCollection', features: [] } as unknown as Outline);
  const name = `province-${view}`;
  registerMap(name, json);
  return name;
}

/** The map in which all these regions lie, ready to be drawn on. */
export async function baseMap(regions: string[]): Promise<BaseMap> {
  const view = viewOf(regions);
  const found = await active();
  const mark = markOf(found, view);
  if (found && found !== 'failed' && covers(found.pack.coverage, view)) {
    const { json, beneath } = geoJsonOf(found.outline, view);
    return { ...mark, name: register(view, json), beneath };
  }
  return { ...mark, name: register(view, await bundled(view)) };
}

/** What the library calls the inset. */
const SOUTH_SEA = '南海诸岛';

/** The chart's `geo`: the map as it is asked for, and the inset beside a map that has none itself;
 * what colours the map says nothing of the `sea`. */
export function geoOf(
  { name, beneath }: Pick<BaseMap, 'name' | 'beneath'>,
  main: ECBasicOption,
  sea: unknown = main.itemStyle,
): ECBasicOption[] {
  const { color } = (main.label ?? {}) as { color?: string };
  const called = {
    name: SOUTH_SEA,
    silent: true,
    emphasis: { disabled: true },
    label: { show: true, position: 'bottom', fontSize: 10, color },
  };
  if (name === CHINA) return [{ ...main, map: CHINA, regions: [called, ...((main.regions ?? []) as ECBasicOption[])] }];
  const still = { silent: true, label: { show: false }, emphasis: { disabled: true } };
  const regions = (main.regions ?? []) as ECBasicOption[];
  const map = { ...main, map: name, regions: [...(beneath ? [{ name: beneath, ...still }] : []), ...regions] };
  const place = { left: 'auto', top: 'auto', right: 12, bottom: 20, width: 52, height: 84 };
  const inset = { map: CHINA, regions: [called], itemStyle: sea, roam: false, silent: true, tooltip: { show: false } };
  return [map, { ...inset, ...place, select: { disabled: true }, emphasis: { disabled: true } }];
}
