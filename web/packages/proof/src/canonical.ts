/** RFC 8785 for what proofs hold: texts, whole numbers, lists, objects. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    // JavaScript orders texts by UTF-16 units, as the RFC asks.
    const members = Object.keys(value)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
