/** Fields of a record as people type them, and back. */
import { offset, picked } from '../../domain/attributes';
import type { Field } from '../../domain/types';

export type Draft = string | string[];

/** A batch that a document goes with. */
interface Covered {
  code: string;
  quantity?: string | null;
}

/** Whether a field holds the batches that a document goes with: one a line, a code and perhaps a quantity. */
export const isUnits = (field: Field): boolean => field.kind === 'json' && field.name === 'units';
/** Whether a field holds the numbers of the documents that one was made out of: one a line. */
export const isOrigins = (field: Field): boolean => field.kind === 'json' && field.name === 'origins';
/** Whether a field can be filled in by hand. */
export const isTyped = (field: Field): boolean => !field.computed && (field.kind !== 'json' || isUnits(field) || isOrigins(field));

export const lineOf = ({ code, quantity }: Covered): string => (quantity ? `${code} ${quantity}` : code);

/** What stands in the field when the form opens. */
export function drafted(field: Field, value: unknown): Draft {
  if (field.kind === 'codes') return Array.isArray(value) ? value.map(String) : [];
  if (value === null || value === undefined) return '';
  if (isUnits(field)) return (value as Covered[]).map(lineOf).join('\n');
  if (isOrigins(field)) return (value as string[]).join('\n');
  return field.kind === 'time' ? picked(String(value)) : String(value);
}

export const linesOf = (text: string): string[] => text.split(/[\n；;]/).flatMap((line) => line.trim() || []);

function covered(line: string): Covered {
  const [code = '', quantity] = line.split(/[\s,，]+/);
  return quantity ? { code, quantity } : { code };
}

export const unitsOf = (text: string): Covered[] => linesOf(text).map(covered);

/** What the field says; `null` for nothing. */
export function meant(field: Field, draft: Draft | undefined): unknown {
  if (draft === undefined || draft.length === 0) return null;
  if (Array.isArray(draft)) return draft;
  // What is no number is said to be none, and not to be missing.
  if (field.kind === 'int') return Number.isInteger(Number(draft)) ? Number(draft) : draft;
  if (field.kind === 'bool') return draft === 'true';
  if (field.kind === 'time') return offset(draft);
  if (isUnits(field)) return unitsOf(draft);
  return isOrigins(field) ? linesOf(draft) : draft;
}
