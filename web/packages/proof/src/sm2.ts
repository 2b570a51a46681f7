/** SM2 signatures (GB/T 32918.2) with the default identity of GM/T 0009. */

import { weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { sm3 } from './sm3';
import { concat, fromHex, toHex, utf8 } from './bytes';

const P = 'fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff';
const A = 'fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc';
const B = '28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93';
const N = 'fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123';
const GX = '32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7';
const GY = 'bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0';
const big = (hex: string): bigint => BigInt(`0x${hex}`);

const Point = weierstrass({ p: big(P), n: big(N), h: 1n, a: big(A), b: big(B), Gx: big(GX), Gy: big(GY) });
const IDENTITY = utf8('1234567812345678');

/** Whether `bytes` (`04 ‖ x ‖ y`) are a point of the curve. */
export function isPublicKey(bytes: Uint8Array): boolean {
  try {
    Point.fromHex(toHex(bytes));
    return bytes.length === 65 && bytes[0] === 4;
  } catch {
    return false;
  }
}

/** Whether `signature` (`r ‖ s`) was made for `message` by the owner of `key`. */
export function verifySm2(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const order = big(N);
  const [r, s] = [big(toHex(signature.slice(0, 32))), big(toHex(signature.slice(32)))];
  if (signature.length !== 64 || r <= 0n || r >= order || s <= 0n || s >= order) return false;
  const t = (r + s) % order;
  if (t === 0n) return false;
  const bits = IDENTITY.length * 8;
  const curve = concat(fromHex(A), fromHex(B), fromHex(GX), fromHex(GY));
  const z = sm3(Uint8Array.of(bits >> 8, bits & 255), IDENTITY, curve, key.slice(1));
  const e = big(toHex(sm3(z, message)));
  const sum = Point.BASE.multiply(s).add(Point.fromHex(toHex(key)).multiply(t));
  return !sum.is0() && (e + sum.toAffine().x) % order === r;
}
