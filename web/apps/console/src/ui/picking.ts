/** How records are found and called where one of them is picked. */
import type { Field, Stored } from '../domain/types';

/** Whether records have names; those of a device do not, and are known by their first field. */
export const isNamed = (fields: Field[]): boolean => fields.length === 0 || fields.some((field) => field.name === 'name');

/** What a record is called among others. */
export function called(item: Stored, fields: Field[]): string {
  const others = [item.code, item.user_name, item.client_id, item.prefix];
  if (isNamed(fields)) {
    const code = others.find((one) => one !== undefined && one !== null);
    return code === undefined ? String(item.name) : `${String(item.name)}（${String(code)}）`;
  }
  const [first, second] = fields;
  const kind = second?.codes?.find(([code]) => code === item[second.name])?.[1];
  return kind ? `${String(item[first!.name])}（${kind}）` : String(item[first!.name]);
}

/** Those of some records whose first field holds what was typed; colons and case do not matter. */
export function holding(items: Stored[], fields: Field[], typed: string): Stored[] {
  const plain = (text: unknown): string =>
    String(text ?? '')
      .replace(/[\s:：-]/g, '')
      .toUpperCase();
  return items.filter((item) => plain(item[fields[0]!.name]).includes(plain(typed)));
}
