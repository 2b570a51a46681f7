/**
 * The curve of SM2 (GB/T 32918.5), in Jacobian coordinates over whole numbers. Verification knows no
 * secret, so nothing here needs to take constant time.
 */

const big = (hex: string): bigint => BigInt(`0x${hex}`);
export const P = big('fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff');
export const N = big('fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123');
export const A = P - 3n;
export const B = big('28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93');
const GX = big('32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7');
const GY = big('bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0');

/** The affine point `(x ÷ z², y ÷ z³)`; `z` is 0 for the point at infinity. Coordinates may be negative. */
export interface Point {
  x: bigint;
  y: bigint;
  z: bigint;
}
export const G: Point = { x: GX, y: GY, z: 1n };
const INFINITY: Point = { x: 1n, y: 1n, z: 0n };

const mul = (left: bigint, right: bigint): bigint => (left * right) % P;

/** Whether the affine point is on the curve. */
export const isOnCurve = (x: bigint, y: bigint): boolean => x < P && y < P && (y * y - x * x * x - A * x - B) % P === 0n;

function double({ x, y, z }: Point): Point {
  const [delta, gamma] = [mul(z, z), mul(y, y)];
  const beta = mul(x, gamma);
  const alpha = mul(3n * (x - delta), x + delta);
  const x3 = (alpha * alpha - 8n * beta) % P;
  return { x: x3, y: (alpha * (4n * beta - x3) - 8n * gamma * gamma) % P, z: (2n * y * z) % P };
}

function add(left: Point, right: Point): Point {
  if (left.z === 0n) return right;
  if (right.z === 0n) return left;
  const [z1, z2] = [mul(left.z, left.z), mul(right.z, right.z)];
  const [u1, u2] = [mul(left.x, z2), mul(right.x, z1)];
  const [s1, s2] = [mul(mul(left.y, right.z), z2), mul(mul(right.y, left.z), z1)];
  const [h, r] = [(u2 - u1) % P, (s2 - s1) % P];
  if (h === 0n) return r === 0n ? double(left) : INFINITY;
  const square = mul(h, h);
  const [cube, v] = [mul(square, h), mul(u1, square)];
  const x = (r * r - cube - 2n * v) % P;
  return { x, y: (r * (v - x) - s1 * cube) % P, z: mul(mul(left.z, right.z), h) };
}

/** The odd multiples of a point up to `2^(width - 1)`. */
function odds(point: Point, width: number): Point[] {
  const [twice, multiples] = [double(point), [point]];
  while (multiples.length < 1 << (width - 2)) multiples.push(add(multiples[multiples.length - 1]!, twice));
  return multiples;
}

/** Signed digits of a number, lowest first, all of them 0 or odd (non-adjacent form of a width). */
function digits(value: bigint, width: number): number[] {
  const found: number[] = [];
  const whole = 1 << width;
  for (let rest = value; rest > 0n; rest >>= 1n) {
    let digit = 0;
    if ((rest & 1n) === 1n) {
      digit = Number(rest & BigInt(whole - 1));
      if (digit >= whole / 2) digit -= whole;
      rest -= BigInt(digit);
    }
    found.push(digit);
  }
  return found;
}

function step(sum: Point, multiples: Point[], digit: number | undefined): Point {
  if (!digit) return sum;
  const one = multiples[Math.abs(digit) >> 1]!;
  return add(sum, digit > 0 ? one : { x: one.x, y: -one.y, z: one.z });
}

const [WIDTH_G, WIDTH_Q] = [7, 5];
let oddsOfG: Point[] | undefined;

/** `s·G + t·point`, both at once. */
export function sumOfMultiples(s: bigint, t: bigint, point: Point): Point {
  oddsOfG ??= odds(G, WIDTH_G);
  const oddsOfPoint = odds(point, WIDTH_Q);
  const [ofG, ofPoint] = [digits(s, WIDTH_G), digits(t, WIDTH_Q)];
  let sum = INFINITY;
  for (let at = Math.max(ofG.length, ofPoint.length) - 1; at >= 0; at -= 1) {
    sum = step(step(double(sum), oddsOfG, ofG[at]), oddsOfPoint, ofPoint[at]);
  }
  return sum;
}

/** Whether the affine `x` of a point, taken modulo the order of the curve, is `wanted`. */
export function hasX({ x, z }: Point, wanted: bigint): boolean {
  if (z === 0n) return false;
  const square = mul(z, z);
  // The field is a little larger than the order: two coordinates may stand for one remainder.
  return [wanted, wanted + N].some((one) => one < P && (one * square - x) % P === 0n);
}
