/** The proof file `*.yjproof`: one canonical JSON object (docs/proof-format.md §3). */

import { fromHex, fromUtf8, Unreadable, utf8 } from './bytes';
import { canonical, isShallow, type Json } from './canonical';
import * as chain from './chain';
import { readNote, readNoteKey, type Note, type NoteKey } from './note';
import { readAnchor, type AnchorStatement } from './outside';
import { isObject, partial, whole, type JsonObject, type RecordPart } from './record';

interface Path {
  index: bigint;
  path: Uint8Array[];
}
/** A block at which the validators changed, signed by those who went before. */
export interface SetChange {
  header: chain.Header;
  certificate: chain.Certificate;
  validators: chain.ValidatorSet;
}
/** 见证: a checkpoint at or after the block, with the signatures of others. */
export interface Witnessed {
  note: Note;
  keys: NoteKey[];
  path: Uint8Array[];
}
/** 外部锚定: a state of the log at or after the block that stands on another chain. */
export interface Anchored {
  statement: AnchorStatement;
  path: Uint8Array[];
}
export interface Bundle extends SetChange {
  record: RecordPart;
  place: Path;
  submission: chain.Submission;
  submissionBytes: Uint8Array;
  key: chain.Key;
  keyBytes: Uint8Array;
  registry: Path & { size: bigint };
  log: Path;
  genesis: chain.Genesis;
  changes: SetChange[];
  witness: Witnessed | undefined;
  anchors: Anchored[];
}

const MEMBERS = ['certificate', 'format', 'genesis', 'header', 'key', 'log', 'record', 'registry', 'salt', 'submission', 'validators'];
/** Members of a list in a file at most. */
const LIST_MAX = 1_000;
/** Bytes of a file at most. */
export const SIZE_MAX = 1 << 20;

function whole64(value: Json | undefined): bigint {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= 2 ** 64) throw new Unreadable();
  return BigInt(value);
}

/** An object with these members and no others. */
function only(value: Json | undefined, members: string[]): JsonObject {
  if (!isObject(value) || Object.keys(value).sort().join() !== [...members].sort().join()) throw new Unreadable();
  return value;
}

function list<T>(value: Json | undefined, read: (item: Json) => T, max = LIST_MAX): T[] {
  if (!Array.isArray(value) || value.length > max) throw new Unreadable();
  return value.map(read);
}

/** A list that is left out where it has no members. */
function listed<T>(value: Json | undefined, read: (item: Json) => T): T[] {
  if (value === undefined) return [];
  const items = list(value, read);
  if (items.length === 0) throw new Unreadable('文件不是规范形式，可能被改动过');
  return items;
}

const hashes = (value: Json | undefined): Uint8Array[] => list(value, (hash) => fromHex(hash, 32), Infinity);

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Unreadable();
  return value;
}

function path(value: Json | undefined): Path {
  const read = only(value, ['index', 'path']);
  return { index: whole64(read.index), path: hashes(read.path) };
}

function block({ header, certificate, validators }: JsonObject): SetChange {
  return {
    header: chain.readHeader(fromHex(header)),
    certificate: chain.readCertificate(fromHex(certificate)),
    validators: chain.readValidators(fromHex(validators)),
  };
}

function witnessed(value: Json): Witnessed {
  const read = only(value, ['checkpoint', 'keys', 'path']);
  return { note: readNote(text(read.checkpoint)), keys: list(read.keys, (key) => readNoteKey(text(key))), path: hashes(read.path) };
}

function anchored(value: Json): Anchored {
  const read = only(value, ['path', 'statement']);
  return { statement: readAnchor(fromHex(read.statement)), path: hashes(read.path) };
}

function parse(source: string | Uint8Array): JsonObject {
  // A text is at most as many units as it has bytes.
  if (source.length > SIZE_MAX || (typeof source === 'string' && utf8(source).length > SIZE_MAX)) {
    throw new Unreadable('文件超过 1 MiB，不是存证证明');
  }
  const unknown = '不是存证证明文件，或内容残缺';
  let [content, file]: [string, Json] = ['', null];
  try {
    content = typeof source === 'string' ? source : fromUtf8(source);
    if (!isShallow(content)) throw new Unreadable();
    file = JSON.parse(content) as Json;
  } catch {
    throw new Unreadable(unknown);
  }
  if (!isObject(file) || file.format !== 'yjproof/1') throw new Unreadable(unknown);
  if (canonical(file) !== content) throw new Unreadable('文件不是规范形式，可能被改动过');
  return file;
}

/** Reads a file; the reason for a refusal is a sentence. */
export function readBundle(source: string | Uint8Array): Bundle {
  const { envelope, disclosure, changes, witness, anchors, ...file } = parse(source);
  only(file, MEMBERS);
  if ((envelope === undefined) === (disclosure === undefined)) throw new Unreadable('证明文件应恰含记录原文或部分披露之一');
  const salt = fromHex(file.salt, 16);
  const registry = only(file.registry, ['index', 'path', 'size']);
  const [submissionBytes, keyBytes] = [fromHex(file.submission), fromHex(file.key)];
  return {
    record: envelope === undefined ? partial(disclosure!, salt) : whole(envelope, salt),
    place: path(file.record),
    submission: chain.readSubmission(submissionBytes),
    submissionBytes,
    key: chain.readKey(keyBytes),
    keyBytes,
    registry: { index: whole64(registry.index), size: whole64(registry.size), path: hashes(registry.path) },
    log: path(file.log),
    ...block(file),
    genesis: chain.readGenesis(fromHex(file.genesis)),
    changes: listed(changes, (change) => block(only(change, ['certificate', 'header', 'validators']))),
    witness: witness === undefined ? undefined : witnessed(witness),
    anchors: listed(anchors, anchored),
  };
}
