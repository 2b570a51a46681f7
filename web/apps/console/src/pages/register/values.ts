/** How the fields of a register are shown. */
import type { Field, PackField } from '../../domain/types';
import { amount, moment, orDash } from '../../domain/format';
import { CLEARANCES, STATE_TONES, type Tone, unit } from '../../domain/words';
import { attribute } from '../trace/packs';

/** Whether a field holds what the domain of its record describes. */
export const isAttributes = (field: Field): boolean => field.kind === 'json' && field.name === 'attributes';

/** One of several that a field holds: a text, or a batch with its quantity. */
function part(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { code, quantity, ...rest } = value as { code?: string; quantity?: string | null };
  if (code === undefined || Object.keys(rest).length > 0) return JSON.stringify(value);
  return quantity ? `${code} ${amount(quantity)}` : code;
}

/** What is counted or measured; a place on the earth and a number that only names are neither. */
const isAmount = (field: Field): boolean =>
  (field.kind === 'decimal' && !['lon', 'lat'].includes(field.name)) ||
  (field.kind === 'int' && ['size', 'activated', 'voided', 'units', 'subjects'].includes(field.name));

/** Whether only some of the codes of a batch are in use yet: as long as any is neither active nor void. */
const isPartly = ({ state, size, activated, voided }: Record<string, unknown>): boolean =>
  state === 'active' && Number(activated) + Number(voided) < Number(size);

/** The state in words: a batch of codes may be in use in part, a document that is valid still may be past its day. */
export function stateOf(record: Record<string, unknown>, label: string, today = new Date()): string {
  if (isPartly(record)) return '部分激活';
  const until = record.valid_until;
  const day = new Date(today.getTime() + 8 * 3_600_000).toISOString().slice(0, 10);
  return record.state === 'valid' && typeof until === 'string' && until < day ? '已过有效期' : label;
}

/** A state with its dot; one that is only in part so, or was so until a day, has other words and their tone. */
export function stateWords(record: Record<string, unknown>, field: Field, label: string): Record<string, [string, Tone]> {
  const code = String(record[field.name] ?? '');
  const words = field.name === 'state' ? stateOf(record, label) : label;
  return { [code]: [words, words === label ? (STATE_TONES[code] ?? 'info') : 'warn'] };
}

/** What follows the head of each code of a batch, such as `checked9`. */
function tailText(tail: string): string {
  const [, kind = '', width = ''] = /^(letters|chance|running|checked)(\d*)$/.exec(tail) ?? [];
  const words: Record<string, string> = {
    letters: '随机字母与数字',
    chance: `${width} 位随机数字`,
    running: `${width} 位顺序号`,
    checked: `${width} 位顺序号与校验位`,
  };
  return words[kind] ?? tail;
}

/** `fields` are the attributes of the domain, for the field that holds them. */
export function show(
  field: Field,
  value: unknown,
  regionName: (code: string) => string,
  names: Record<string, string> = {},
  fields: PackField[] = [],
): string {
  if (value === null || value === undefined || value === '') return '—';
  const label = (code: string): string => field.codes.find(([known]) => known === code)?.[1] ?? code;
  if (isAttributes(field) && typeof value === 'object') {
    return Object.entries(value)
      .map(([name, one]) => attribute({ fields }, name, one).join('：'))
      .join('；');
  }
  if (Array.isArray(value) && field.kind === 'json') return value.map(part).join('；');
  if (field.kind === 'code') return label(String(value));
  if (field.kind === 'codes' && Array.isArray(value)) return value.map((code) => label(String(code))).join('、');
  if (field.kind === 'id') return names[String(value)] ?? '（不在数据权限范围内）';
  if (field.name === 'clearance') return CLEARANCES.find(([code]) => code === String(value))?.[1] ?? String(value);
  if (field.kind === 'region') return regionName(String(value));
  if (field.kind === 'bool') return value ? '是' : '否';
  if (field.kind === 'time') return moment(String(value));
  if (field.name === 'tail') return tailText(String(value));
  if (field.name === 'unit') return unit(String(value));
  if (field.name === 'source_system' && value === 'direct') return '本平台';
  if (isAmount(field)) return amount(String(value));
  return orDash(value);
}

/** What tells one record from another in a list: its name, its number, or what it is registered by. */
export const headOf = (fields: Field[]): Field | undefined =>
  fields.find((field) => field.name === 'name') ?? fields.find((field) => field.name === 'number') ?? fields[0];

/** What a record is at the moment, such as valid or offline. */
export const STATES = ['status', 'state'];

/** Columns in the order of front rule 14: what tells the record, its state, then the rest as described. */
export function columnsOf(fields: Field[]): Field[] {
  const plain = fields.filter((field) => field.kind !== 'json' && !field.name.endsWith('_path'));
  const states = STATES.flatMap((name) => plain.filter((field) => field.name === name));
  const first = [...new Set([headOf(plain) ?? [], ...states].flat())];
  return [...first, ...plain.filter((field) => !first.includes(field))];
}
