/** Attributes of events, from texts that people typed to values. */
import { BEIJING_MS } from './format';
import type { PackField } from './types';

const ZONED = /(?:Z|[+-]\d{2}:?\d{2})$/i;
const isZoned = (time: string): boolean => ZONED.test(time.slice('YYYY-MM-DD'.length));

/** A time as it is picked, in China. */
export function offset(time: string): string {
  if (isZoned(time) || !time.includes('T')) return time;
  return /T\d{2}:\d{2}$/.test(time) ? `${time}:00+08:00` : `${time}+08:00`;
}

/** A moment as a field holds it that times are picked in: of China, with its seconds where it has any. */
export function picked(time: string): string {
  const at = isZoned(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) return time;
  const there = new Date(at + BEIJING_MS).toISOString().slice(0, -1);
  return there.replace(/\.000$/, '').replace(/(T\d{2}:\d{2}):00$/, '$1');
}

function meant(field: PackField, text: string): unknown {
  if (field.kind === 'int') return Number.isInteger(Number(text)) ? Number(text) : text;
  if (field.kind === 'bool') return text === 'true';
  return field.kind === 'time' ? offset(text) : text;
}

/** The attributes that were filled in, as values. */
export function given(fields: PackField[], text: (name: string) => string | undefined): Record<string, unknown> {
  const filled = fields.filter((field) => text(field.name));
  return Object.fromEntries(filled.map((field) => [field.name, meant(field, text(field.name)!)]));
}
