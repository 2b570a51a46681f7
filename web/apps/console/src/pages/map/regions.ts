/** 区域着色 (G-3.2): regions by an indicator of a register, in classes of about as many regions each. */
import { amount } from '../../domain/format';
import type { Entity } from '../../domain/types';
import { pairsOf, queryText } from '../../ui/address';
import type { SavedView } from '../../ui/views';
import { called, figuresOf, type Figures } from '../analysis/figures';

/** What regions are told apart by. */
export interface Measure {
  code: string;
  label: string;
  /** Conditions besides those of the page. */
  query: string;
  /** Conditions of the numerator; nothing where it is no ratio. */
  part: string;
  /** Of a number without a numerator: the share of all instead. */
  share?: boolean;
}
/** A region with its value. */
export interface RegionValue {
  code: string;
  name: string;
  value: number;
  text: string;
  /** The conditions of the list behind it. */
  query: string;
  /** A province's or city's own records lie in none of its parts. */
  own: boolean;
}
/** Values up to `most`, in a colour of the ramp. */
export interface Band {
  least: number;
  most: number;
  /** The token of its colour. */
  colour: string;
  /** Whether what is written on it is light. */
  dark: boolean;
  count: number;
}

const RAMP = ['ramp-1', 'ramp-2', 'ramp-3', 'ramp-4', 'ramp-5'];
const DARK_FROM = 3;

/** What every register is asked, and what devices are asked besides. */
const PLAIN: Measure[] = [
  { code: 'count', label: '数量', query: '', part: '' },
  { code: 'share', label: '占全部的比例', query: '', part: '', share: true },
];
const ONLINE: Measure = { code: 'online', label: '在线率', query: '', part: 'state=online' };

/** Indicators that a register can be coloured by: its number, its share, and those that were kept. */
export function measuresOf(entity: Entity, views: SavedView[]): Measure[] {
  const online = entity.fields.some(({ name, codes }) => name === 'state' && codes?.some(([code]) => code === 'online'));
  const kept = views.filter((view) => view.figure !== null);
  const own = kept.map(({ id, title, query, figure }) => {
    const part = new URLSearchParams(figure ?? '').get('part') ?? '';
    return { code: id, label: title, query, part };
  });
  return [...PLAIN, ...(online ? [ONLINE] : []), ...own];
}

/** The field that says where a record is, for registers that have one. */
export const regionField = (entity: Entity | undefined): string | undefined =>
  entity?.fields.find((field) => field.kind === 'region' && field.filter !== 'none')?.name;

/** Municipalities have no prefectures: their parts are counties. */
const MUNICIPALITIES = ['11', '12', '31', '50'];
export function grainOf(province: string): string {
  if (province === '') return 'province';
  return MUNICIPALITIES.includes(province) ? 'county' : 'city';
}

/** The values of the parts of a province, or of the provinces. */
export async function regionValues(
  entity: Entity,
  field: string,
  query: string,
  province: string,
  measure: Measure,
): Promise<RegionValue[]> {
  const within = province ? queryText([[field, `${province}0000`]]) : '';
  const asked = [query, measure.query, within].filter(Boolean).join('&');
  const figures = await figuresOf(entity.table, queryText(pairsOf(asked)), { by: `${field}:${grainOf(province)}`, part: measure.part });
  return valuesOf(figures, measure);
}

export function valuesOf(figures: Figures, measure: Measure): RegionValue[] {
  const valued = figures.groups.flatMap((group): RegionValue[] => {
    const code = group.key[0];
    if (typeof code !== 'string') return [];
    const own = group.query.includes('.is=');
    const known = { code, name: called(figures, group, 0), query: group.query, own };
    if (measure.part) {
      const said = `${group.ratio}%（${amount(group.part)} / ${amount(group.count)}）`;
      return [{ ...known, value: Number(group.ratio), text: said }];
    }
    if (measure.share) {
      // Shares that are made to add up differ where counts do not; colours must not.
      const value = Math.round((group.count * 1000) / Math.max(1, figures.count)) / 10;
      return [{ ...known, value, text: `${value.toFixed(1)}%` }];
    }
    return [{ ...known, value: group.count, text: `${amount(group.count)} 条` }];
  });
  return valued.sort((a, b) => b.value - a.value);
}

/** Classes by quantiles: about as many regions in each. Equal values are in one class, so that
 * there are fewer classes where few values differ. */
export function bandsOf(values: number[]): Band[] {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  const at = (part: number): number => sorted[Math.max(0, Math.ceil((part * sorted.length) / RAMP.length) - 1)]!;
  const ends = [...new Set(RAMP.map((_, index) => at(index + 1)))];
  return ends.map((most, index) => {
    const inside = sorted.filter((value) => value <= most && (index === 0 || value > ends[index - 1]!));
    // A single class is neither light nor dark; several reach from one end to the other.
    const step = ends.length === 1 ? 2 : Math.round((index * (RAMP.length - 1)) / (ends.length - 1));
    return { least: inside[0]!, most, colour: RAMP[step]!, dark: step >= DARK_FROM, count: inside.length };
  });
}

export const bandOf = (value: number, bands: Band[]): Band | undefined => bands.find((band) => value <= band.most);

/** `12–34 条`, `5%` */
export function bandText({ least, most }: Band, measure: Measure): string {
  const unit = measure.part || measure.share ? '%' : ' 条';
  return least === most ? `${amount(least)}${unit}` : `${amount(least)}–${amount(most)}${unit}`;
}

/** What outlines may call a region: bundled ones drop what kind of province it is. */
export const outlineNames = (name: string): string[] => [
  ...new Set([name, name.replace(/(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|省|市)$/, '')]),
];
