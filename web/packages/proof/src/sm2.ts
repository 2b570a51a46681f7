/** SM2 signatures (GB/T 32918.2) with the default identity of GM/T 0009. */

import { concat, fromHex, toHex, utf8 } from './bytes';
import { A, B, G, hasX, isOnCurve, N, sumOfMultiples } from './curve';
import { sm3 } from './sm3';

const IDENTITY = utf8('1234567812345678');
const big = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);
const bytes32 = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
/** What the identity says before the key: its length in bits, itself, the curve. */
const BEFORE_KEY = concat(Uint8Array.of(0, IDENTITY.length * 8), IDENTITY, ...[A, B, G.x, G.y].map(bytes32));

/** Whether `bytes` (`04 ‖ x ‖ y`) are a point of the curve. */
export function isPublicKey(bytes: Uint8Array): boolean {
  return bytes.length === 65 && bytes[0] === 4 && isOnCurve(big(bytes.slice(1, 33)), big(bytes.slice(33)));
}

/** Whether `signature` (`r ‖ s`) was made for `message` by the owner of `key`. */
export function verifySm2(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || !isPublicKey(key)) return false;
  const [r, s] = [big(signature.slice(0, 32)), big(signature.slice(32))];
  if (r === 0n || r >= N || s === 0n || s >= N) return false;
  const t = (r + s) % N;
  if (t === 0n) return false;
  const e = big(sm3(sm3(BEFORE_KEY, key.slice(1)), message));
  const sum = sumOfMultiples(s, t, { x: big(key.slice(1, 33)), y: big(key.slice(33)), z: 1n });
  return hasX(sum, (((r - e) % N) + N) % N);
}
