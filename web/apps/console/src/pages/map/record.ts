/** One record with what the records it refers to are called. */
import { call } from '../../api';
import type { Entity, Stored } from '../../domain/types';

export interface Opened {
  record: Stored;
  names: Record<string, string>;
}

export async function openRecord(entity: Entity, id: string): Promise<Opened> {
  const record = await call<Stored>('GET', `/api/v1/${entity.table}/${id}`);
  const referred = entity.fields.flatMap((field): [string, string][] => {
    const value = record[field.name];
    return field.kind === 'id' && field.references && typeof value === 'string' ? [[field.references, value]] : [];
  });
  const names = referred.map(async ([table, value]): Promise<[string, string]> => {
    // Who may not read it sees its number.
    const found = await call<Stored>('GET', `/api/v1/${table}/${value}`).catch(() => undefined);
    return [value, String(found?.name ?? found?.code ?? value)];
  });
  return { record, names: Object.fromEntries(await Promise.all(names)) };
}
