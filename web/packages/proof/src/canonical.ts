/** RFC 8785 for what proofs hold: texts, whole numbers, lists, objects. */

import { Unreadable } from './bytes';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Levels of objects and lists in a file; as many as other readers of JSON take. */
const DEPTH_MAX = 127;

function text(value: string): string {
  // Half a surrogate pair is no text.
  if (/[\ud800-\udfff]/u.test(value)) throw new Unreadable();
  return JSON.stringify(value);
}

export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    // JavaScript orders texts by UTF-16 units, as the RFC asks.
    const members = Object.keys(value)
      .sort()
      .map((name) => `${text(name)}:${canonical(value[name]!)}`);
    return `{${members.join(',')}}`;
  }
  return typeof value === 'string' ? text(value) : JSON.stringify(value);
}

/** Whether objects and lists are within each other no deeper than a reader needs to follow. */
export function isShallow(source: string): boolean {
  let [depth, deepest, quoted] = [0, 0, false];
  for (let at = 0; at < source.length; at += 1) {
    const letter = source[at];
    if (quoted && letter === '\\') at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && (letter === '{' || letter === '[')) deepest = Math.max(deepest, (depth += 1));
    else if (!quoted && (letter === '}' || letter === ']')) depth -= 1;
  }
  return deepest <= DEPTH_MAX;
}
