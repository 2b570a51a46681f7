/** Attributes of events, from texts that people typed to values. */
import type { PackField } from './types';

/** A time as it is picked, in China. */
export const offset = (time: string): string => (time.length === 16 ? `${time}:00+08:00` : time);

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
