/** Submissions, keys, validators, headers and certificates. */

import { compare, concat, equal, Reader, u32, u64, Unreadable, utf8 } from './bytes';
import { isPublicKey, verifySm2 } from './sm2';
import { sm3 } from './sm3';

export interface Submission {
  chain: Uint8Array;
  org: string;
  seq: bigint;
  count: number;
  root: Uint8Array;
  kid: string;
  byPlatform: boolean;
  signed: Uint8Array;
  signature: Uint8Array;
}

export function readSubmission(bytes: Uint8Array): Submission {
  const reader = new Reader(bytes);
  reader.magic('YJ/sub/v1\0');
  const [chain, org, seq, count, root, kid] = [reader.hash(), reader.text(), reader.u64(), reader.u32(), reader.hash(), reader.text()];
  const attested = reader.u8();
  if (attested !== 1 && attested !== 2) throw new Unreadable();
  const signature = reader.raw(64);
  reader.end();
  return { chain, org, seq, count, root, kid, byPlatform: attested === 2, signed: bytes.slice(0, -64), signature };
}

export interface Key {
  org: string;
  kid: string;
  key: Uint8Array;
  forPlatform: boolean;
  from: bigint;
  until: bigint;
}

export function readKey(bytes: Uint8Array): Key {
  const reader = new Reader(bytes);
  reader.magic('YJ/key/v1\0');
  const [org, kid, key, usage] = [reader.text(), reader.text(), reader.raw(65), reader.u8()];
  const [from, until] = [reader.u64(), reader.u64()];
  reader.hash();
  reader.end();
  if ((usage !== 1 && usage !== 2) || !isPublicKey(key)) throw new Unreadable();
  return { org, kid, key, forPlatform: usage === 2, from, until };
}

/** What a header says of the register of keys: their number and their root. */
export const bindRegistry = (size: bigint, root: Uint8Array): Uint8Array => sm3(utf8('YJ/reg/v1\0'), u64(size), root);

export interface Validator {
  key: Uint8Array;
  power: bigint;
  address: Uint8Array;
}
export interface ValidatorSet {
  members: Validator[];
  bytes: Uint8Array;
  hash: Uint8Array;
}

function readMembers(reader: Reader): ValidatorSet {
  const count = reader.u16();
  const members: Validator[] = [];
  const parts = [Uint8Array.of(count >> 8, count & 255)];
  for (let at = 0; at < count; at += 1) {
    const [key, power] = [reader.raw(65), reader.u64()];
    if (!isPublicKey(key) || power < 1n || power > 1n << 32n) throw new Unreadable();
    members.push({ key, power, address: sm3(utf8('YJ/addr/v1\0'), key) });
    parts.push(concat(key, u64(power)));
  }
  const ordered = members.every((member, at) => at === 0 || compare(members[at - 1]!.address, member.address) < 0);
  if (count === 0 || count > 256 || !ordered) throw new Unreadable();
  const bytes = concat(...parts);
  return { members, bytes, hash: sm3(utf8('YJ/set/v1\0'), bytes) };
}

export function readValidators(bytes: Uint8Array): ValidatorSet {
  const reader = new Reader(bytes);
  const set = readMembers(reader);
  reader.end();
  return set;
}

export interface Genesis {
  name: string;
  validators: ValidatorSet;
  chain: Uint8Array;
}

export function readGenesis(bytes: Uint8Array): Genesis {
  const reader = new Reader(bytes);
  reader.magic('YJ/gen/v1\0');
  const name = reader.text();
  reader.u64();
  const validators = readMembers(reader);
  reader.end();
  return { name, validators, chain: sm3(bytes) };
}

export interface Header {
  chain: Uint8Array;
  height: bigint;
  timeMs: bigint;
  treeSize: bigint;
  treeRoot: Uint8Array;
  validators: Uint8Array;
  nextValidators: Uint8Array;
  registry: Uint8Array;
  id: Uint8Array;
}

export function readHeader(bytes: Uint8Array): Header {
  const reader = new Reader(bytes);
  if (reader.u16() !== 1) throw new Unreadable();
  const [chain, height] = [reader.hash(), reader.u64()];
  reader.hash();
  const timeMs = reader.u64();
  reader.hash();
  const [treeSize, treeRoot] = [reader.u64(), reader.hash()];
  reader.hash();
  const [validators, nextValidators] = [reader.hash(), reader.hash()];
  const registry = reader.hash();
  reader.hash();
  reader.end();
  return { chain, height, timeMs, treeSize, treeRoot, validators, nextValidators, registry, id: sm3(utf8('YJ/hdr/v1\0'), bytes) };
}

export interface Certificate {
  round: number;
  votes: { address: Uint8Array; signature: Uint8Array }[];
}

export function readCertificate(bytes: Uint8Array): Certificate {
  const reader = new Reader(bytes);
  const [round, count] = [reader.u32(), reader.u16()];
  const votes = Array.from({ length: count }, () => ({ address: reader.hash(), signature: reader.raw(64) }));
  reader.end();
  return { round, votes };
}

export const memberAt = (set: ValidatorSet, address: Uint8Array): Validator | undefined =>
  set.members.find((one) => equal(one.address, address));

/** Whether the votes commit the block: all valid, all different, more than two thirds. */
export function commits({ round, votes }: Certificate, header: Header, set: ValidatorSet): boolean {
  const vote = concat(utf8('YJ/vote/v1\0'), header.chain, Uint8Array.of(2), u64(header.height), u32(round), header.id);
  let power = 0n;
  for (const [at, { address, signature }] of votes.entries()) {
    const member = memberAt(set, address);
    const ordered = at === 0 || compare(votes[at - 1]!.address, address) < 0;
    if (!member || !ordered || !verifySm2(member.key, vote, signature)) return false;
    power += member.power;
  }
  return power * 3n > set.members.reduce((sum, member) => sum + member.power, 0n) * 2n;
}
