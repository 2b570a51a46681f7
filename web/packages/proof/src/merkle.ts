/** The Merkle log of RFC 9162 over SM3: what paths prove. */

import { equal } from './bytes';
import { sm3 } from './sm3';

export const leaf = (bytes: Uint8Array): Uint8Array => sm3(Uint8Array.of(0), bytes);
export const node = (left: Uint8Array, right: Uint8Array): Uint8Array => sm3(Uint8Array.of(1), left, right);

/** The root that a path leads to (RFC 9162 §2.1.3.2); nothing where it does not fit. */
export function rootFromPath(start: Uint8Array, index: bigint, size: bigint, path: Uint8Array[]): Uint8Array | undefined {
  if (index >= size) return undefined;
  let [at, last, hash] = [index, size - 1n, start];
  for (const sibling of path) {
    if (last === 0n) return undefined;
    if ((at & 1n) === 1n || at === last) {
      hash = node(sibling, hash);
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      hash = node(hash, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n ? hash : undefined;
}

export interface Tree {
  size: bigint;
  root: Uint8Array;
}

/** Whether a log grew from one state to another without a change (RFC 9162 §2.1.4.2). */
export function isConsistent(old: Tree, later: Tree, path: Uint8Array[]): boolean {
  if (old.size === later.size) return path.length === 0 && equal(old.root, later.root);
  if (old.size === 0n || old.size > later.size) return old.size === 0n && path.length === 0;
  const isPower = (old.size & (old.size - 1n)) === 0n;
  const [start, ...rest] = isPower ? [old.root, ...path] : path;
  if (!start) return false;
  let [at, last] = [old.size - 1n, later.size - 1n];
  while ((at & 1n) === 1n) [at, last] = [at >> 1n, last >> 1n];
  let [fromOld, fromLater] = [start, start];
  for (const sibling of rest) {
    if (last === 0n) return false;
    if ((at & 1n) === 1n || at === last) {
      [fromOld, fromLater] = [node(sibling, fromOld), node(sibling, fromLater)];
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      fromLater = node(fromLater, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n && equal(fromOld, old.root) && equal(fromLater, later.root);
}
