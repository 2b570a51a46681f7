/** 检查点: the state of the log as a signed text, and the keys that sign it (docs/proof-format.md). */

import { concat, equal, fromBase64, fromHex, Reader, toBase64, toHex, Unreadable, utf8 } from './bytes';
import { isPublicKey, verifySm2 } from './sm2';
import { sm3 } from './sm3';

export interface Checkpoint {
  /** Which log: [`originOf`] its chain. */
  origin: string;
  size: bigint;
  root: Uint8Array;
  height: bigint;
  block: Uint8Array;
  /** What is signed. */
  body: string;
}

const LOG = 'sm2-log/v1';
const WITNESS = 'sm2-cosignature/v1';
/** Bytes of a line: key id, for a witness the time, signature. */
const [LOG_BLOB, WITNESS_BLOB] = [4 + 64, 4 + 8 + 64];

export interface NoteKey {
  name: string;
  byLog: boolean;
  key: Uint8Array;
  id: Uint8Array;
}

/** A signature under a checkpoint. */
export interface NoteLine {
  name: string;
  id: Uint8Array;
  /** When a witness signed, in seconds since 1970; nothing for the log's own signature. */
  time: bigint | undefined;
  signature: Uint8Array;
}

export interface Note {
  checkpoint: Checkpoint;
  lines: NoteLine[];
}

const [NAME_MAX, LINES_MAX, NOTE_MAX] = [100, 100, 64 * 1024];

/** The name of a chain's log. */
export const originOf = (chain: Uint8Array): string => `yuanjian/${toHex(chain)}`;

function isName(name: string): boolean {
  const letters = [...name].length;
  return letters >= 1 && letters <= NAME_MAX && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

function decimal(text: string | undefined): bigint {
  if (text === undefined || !/^(?:0|[1-9][0-9]{0,19})$/.test(text)) throw new Unreadable();
  const value = BigInt(text);
  if (value >= 1n << 64n) throw new Unreadable();
  return value;
}

function readBody(body: string): Checkpoint {
  const [origin, size, root, block, end, ...more] = body.split('\n');
  const [word, height, id, ...further] = (block ?? '').split(' ');
  if (end !== '' || more.length > 0 || word !== 'block' || further.length > 0) throw new Unreadable();
  const hash = fromBase64(root!);
  if (hash.length !== 32) throw new Unreadable();
  return { origin: origin!, size: decimal(size), root: hash, height: decimal(height), block: fromHex(id, 32), body };
}

function readLine(line: string): NoteLine {
  const [dash, name, code, ...more] = line.split(' ');
  if (dash !== '—' || name === undefined || code === undefined || more.length > 0) throw new Unreadable();
  const blob = fromBase64(code);
  if (blob.length !== LOG_BLOB && blob.length !== WITNESS_BLOB) throw new Unreadable();
  const reader = new Reader(blob);
  const id = reader.raw(4);
  const time = blob.length === WITNESS_BLOB ? reader.u64() : undefined;
  return { name, id, time, signature: reader.raw(64) };
}

/** Reads a checkpoint with its signatures; a text has one reading only. */
export function readNote(text: string): Note {
  const at = text.indexOf('\n\n');
  if (at < 0 || !text.endsWith('\n') || utf8(text).length > NOTE_MAX) throw new Unreadable();
  const lines = text
    .slice(at + 2, -1)
    .split('\n')
    .map(readLine);
  if (lines.length > LINES_MAX) throw new Unreadable();
  return { checkpoint: readBody(text.slice(0, at + 1)), lines };
}

const idOf = (name: string, code: Uint8Array): Uint8Array => sm3(utf8(`${name}\n`), code).slice(0, 4);

/** Reads `<name>+<key id>+<base64>`. */
export function readNoteKey(text: string): NoteKey {
  const [name, id, code, ...more] = text.split('+');
  // A plus is also a letter of base64.
  const bytes = fromBase64([code ?? '', ...more].join('+'));
  if (!isName(name ?? '') || bytes.length <= 65 || bytes[0] !== 0xff) throw new Unreadable();
  const [algorithm, key] = [bytes.slice(1, -65), bytes.slice(-65)];
  const byLog = equal(algorithm, utf8(LOG));
  if ((!byLog && !equal(algorithm, utf8(WITNESS))) || !isPublicKey(key)) throw new Unreadable();
  const found = idOf(name!, bytes);
  if (toHex(found) !== id) throw new Unreadable();
  return { name: name!, byLog, key, id: found };
}

export function noteKeyText({ name, byLog, key, id }: NoteKey): string {
  return `${name}+${toHex(id)}+${toBase64(concat(Uint8Array.of(0xff), utf8(byLog ? LOG : WITNESS), key))}`;
}

export const sameKey = (left: NoteKey, right: NoteKey): boolean => noteKeyText(left) === noteKeyText(right);

/** Whether the owner of the key signed the checkpoint; a witness's signature also covers its time. */
export function isBy(line: NoteLine, { body }: Checkpoint, key: NoteKey): boolean {
  if (line.name !== key.name || !equal(line.id, key.id) || (line.time === undefined) !== key.byLog) return false;
  const signed = key.byLog ? body : `cosignature/v1\ntime ${line.time}\n${body}`;
  return verifySm2(key.key, utf8(signed), line.signature);
}
