/** The record: commitments to every field, shown or hidden (docs/proof-format.md). */

import { compare, concat, fromHex, u32, Unreadable, utf8 } from './bytes';
import { canonical, type Json } from './canonical';
import { sm3 } from './sm3';

export type JsonObject = { [name: string]: Json };
export interface Shown {
  name: string;
  value: Json;
  salt: Uint8Array;
}
export interface RecordPart {
  head: JsonObject;
  shown: Shown[];
  hidden: number;
  /** Whether only some fields may be shown. */
  partial: boolean;
  /** What the log holds of the record. */
  entry: Uint8Array;
}

const MEMBERS = ['body', 'id', 'org', 'time', 'type', 'v'];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requireExact(value: Json): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new Unreadable('存证记录中有小数或过大的数字');
  if (Array.isArray(value)) value.forEach(requireExact);
  if (!isObject(value)) return;
  for (const [name, member] of Object.entries(value)) {
    if (/^[0-9]*$/.test(name)) throw new Unreadable('存证记录的字段名不能全是数字');
    requireExact(member);
  }
}

function requireHead(head: JsonObject): void {
  const texts = ['type', 'id', 'org', 'time'].every((name) => typeof head[name] === 'string');
  if (!texts || head.v !== 1 || !isObject(head.body) || Object.keys(head).sort().join() !== MEMBERS.join()) {
    throw new Unreadable('存证记录应恰有 v、type、id、org、time、body 六项');
  }
}

function flatten(path: string, value: Json, fields: [string, Json][]): void {
  if (Array.isArray(value) && value.length > 0) {
    value.forEach((item, at) => flatten(`${path}/${at}`, item, fields));
  } else if (isObject(value) && Object.keys(value).length > 0) {
    for (const [name, member] of Object.entries(value)) {
      flatten(`${path}/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`, member, fields);
    }
  } else {
    fields.push([path, value]);
  }
}

const fieldSalt = (salt: Uint8Array, name: string): Uint8Array => sm3(utf8('YJ/salt/v1\0'), salt, utf8(name)).slice(0, 16);
const fieldDigest = ({ name, value, salt }: Shown): Uint8Array => sm3(utf8('YJ/field/v1\0'), salt, utf8(canonical([name, value])));

function entryOf(head: JsonObject, fields: Uint8Array[], salt: Uint8Array): Uint8Array {
  const record = sm3(utf8('YJ/rec/v1\0'), u32(fields.length), concat(...fields), utf8(canonical(head)));
  return sm3(utf8('YJ/leaf/v1\0'), salt, record);
}

/** Reads a record that is shown whole. */
export function whole(envelope: Json, salt: Uint8Array): RecordPart {
  if (!isObject(envelope)) throw new Unreadable();
  requireHead(envelope);
  requireExact(envelope.body!);
  const { body, ...head } = envelope;
  const fields: [string, Json][] = [];
  flatten('', body!, fields);
  fields.sort(([left], [right]) => compare(utf8(left), utf8(right)));
  const shown = fields.map(([name, value]) => ({ name, value, salt: fieldSalt(salt, name) }));
  return { head, shown, hidden: 0, partial: false, entry: entryOf(head, shown.map(fieldDigest), fieldSalt(salt, '')) };
}

/** Reads a record that is shown in part. */
export function partial(disclosure: Json, salt: Uint8Array): RecordPart {
  if (!isObject(disclosure) || Object.keys(disclosure).sort().join() !== 'fields,head') throw new Unreadable();
  const { head, fields } = disclosure;
  if (!isObject(head) || !Array.isArray(fields)) throw new Unreadable();
  requireHead({ ...head, body: {} });
  const shown: Shown[] = [];
  const digests = fields.map((field) => {
    if (typeof field === 'string') return fromHex(field, 32);
    if (!isObject(field) || Object.keys(field).sort().join() !== 'name,salt,value' || typeof field.name !== 'string') {
      throw new Unreadable();
    }
    const one = { name: field.name, value: field.value!, salt: fromHex(field.salt, 16) };
    shown.push(one);
    return fieldDigest(one);
  });
  return { head, shown, hidden: fields.length - shown.length, partial: true, entry: entryOf(head, digests, salt) };
}
