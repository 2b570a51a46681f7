/** An official outline in place of the bundled ones (G-3.2): what it covers, and as what it is drawn. */
import type { Outline } from '../chain/provinces';

/** Longitude and latitude of the first point, then the way to each next one, in steps. */
type Path = number[];
/** A boundary file as the server keeps it. */
export interface PackOutline {
  approval_number: string;
  /** `100000` for the country, or the code of a province. */
  coverage: string;
  /** Steps in a degree. */
  scale: number;
  divisions: { code: string; name: string; polygons: Path[][] }[];
  lines: Path[];
}
/** What is said about it. */
export interface MapPack {
  version: number;
  digest: string;
  name: string;
  approval_number: string;
  source: string;
  issued_year: number;
  valid_until: string | null;
  coverage: string;
}

const COUNTRY = '100000';
/** What the lines of a map are called, which bound no division. */
const LINES = '界线';

/** What a map of these regions shows: a province by its two digits, or nothing for the country. */
export function viewOf(regions: string[]): string {
  const prefixes = [...new Set(regions.map((region) => region.slice(0, 2)))];
  return prefixes.length === 1 ? prefixes[0]! : '';
}

/** Whether an outline is the whole of what a map shows. */
export const covers = (coverage: string, view: string): boolean => coverage === COUNTRY || (view !== '' && coverage.slice(0, 2) === view);

const isProvince = (code: string): boolean => code.endsWith('0000');
const isPrefecture = (code: string): boolean => code.endsWith('00') && !isProvince(code);

/** The codes that are drawn: provinces on a map of the country; in a province its prefectures, and
 * the counties of those that are not there, so that none lies above another. Where the province
 * itself is known too, it is drawn beneath: a file need not have every one of its parts. */
export function shown(codes: string[], view: string): { parts: string[]; beneath?: string } {
  if (view === '') return { parts: codes.filter(isProvince) };
  const inside = codes.filter((code) => code.startsWith(view));
  const whole = inside.find(isProvince);
  const prefectures = new Set(inside.filter(isPrefecture).map((code) => code.slice(0, 4)));
  const parts = inside.filter((code) => !isProvince(code) && (isPrefecture(code) || !prefectures.has(code.slice(0, 4))));
  if (parts.length === 0) return { parts: whole ? [whole] : [] };
  return whole ? { parts, beneath: whole } : { parts };
}

/** Points in degrees. */
export function points(path: Path, scale: number): [number, number][] {
  let [lon, lat] = [0, 0];
  return Array.from({ length: path.length / 2 }, (_, index) => {
    lon += path[2 * index]!;
    lat += path[2 * index + 1]!;
    return [lon / scale, lat / scale];
  });
}

/** What the chart library draws, and what in it lies beneath all else. */
export function geoJsonOf(outline: PackOutline, view: string): { json: Outline; beneath?: string } {
  const codes = outline.divisions.map((one) => one.code);
  const { parts, beneath } = shown(codes, view);
  const paths = (all: Path[]): [number, number][][] => all.map((path) => points(path, outline.scale));
  const found = new Map(outline.divisions.map((one) => [one.code, one]));
  const areas = [...(beneath ? [beneath] : []), ...parts].map((code) => {
    const { name, polygons } = found.get(code)!;
    return { type: 'Feature', properties: { name, code }, geometry: { type: 'MultiPolygon', coordinates: polygons.map(paths) } };
  });
  const lines =
    view === '' && outline.lines.length > 0
      ? [{ type: 'Feature', properties: { name: LINES }, geometry: { type: 'MultiLineString', coordinates: paths(outline.lines) } }]
      : [];
  const json = { type: 'FeatureCollection', features: [...areas, ...lines] } as unknown as Outline;
  return beneath ? { json, beneath: found.get(beneath)!.name } : { json };
}
