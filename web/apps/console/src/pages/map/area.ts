/** Areas that are drawn on the map, in the forms the server takes: `within` and `near`. */

export type Point = [lon: number, lat: number];
export type Shape = 'within' | 'near';
export const CORNERS_MAX = 200;
/** Metres in a degree of latitude. */
const DEGREE = 111_132;
const ROUND = 64;

const pair = ([lon, lat]: Point): string => `${lon.toFixed(5)},${lat.toFixed(5)}`;
export const polygonText = (corners: Point[]): string => corners.map(pair).join(' ');
export const circleText = (centre: Point, kilometres: number): string => `${pair(centre)},${Math.round(kilometres * 1000)}`;

/** The corners of an area; a circle has many. Nothing where the text is no area. */
export function outlineOf(shape: Shape, text: string): Point[] {
  const numbers = text
    .trim()
    .split(/\s+/)
    .map((one) => one.split(',').map(Number));
  if (numbers.flat().some((one) => !Number.isFinite(one))) return [];
  if (shape === 'within') return numbers.flatMap(([lon, lat]): Point[] => (lon === undefined || lat === undefined ? [] : [[lon, lat]]));
  const [lon, lat, metres] = numbers[0] ?? [];
  if (lon === undefined || lat === undefined || metres === undefined) return [];
  const north = metres / DEGREE;
  const east = north / Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  return Array.from({ length: ROUND }, (_, corner): Point => {
    const angle = (corner / ROUND) * 2 * Math.PI;
    return [lon + east * Math.cos(angle), lat + north * Math.sin(angle)];
  });
}
