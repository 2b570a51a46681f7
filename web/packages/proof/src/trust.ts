/** What people type about whom they trust. */

import { readNoteKey, type NoteKey } from './note';
import type { Trust } from './verify';

export interface Typed {
  trust?: Trust;
  /** What is wrong, and what would be right. */
  problem?: string;
}

/** A fingerprint as people copy it: any case, with blanks or colons between. */
export const cleanFingerprint = (text: string): string => text.replace(/[\s:：]/g, '').toLowerCase();

/** `fingerprint` may be empty; `witnesses` holds one verifier key a line. */
export function readTrust(fingerprint: string, witnesses: string): Typed {
  const chain = cleanFingerprint(fingerprint);
  if (chain !== '' && !/^[0-9a-f]{64}$/.test(chain)) return { problem: `链指纹应为 64 位十六进制，现为 ${[...chain].length} 位` };
  const keys: NoteKey[] = [];
  for (const [at, line] of witnesses.split('\n').entries()) {
    const text = line.trim();
    if (text === '') continue;
    try {
      keys.push(readNoteKey(text));
    } catch {
      return { problem: `第 ${at + 1} 行不是见证方公钥，应形如“名称+编号+公钥”` };
    }
    if (keys[keys.length - 1]!.byLog) return { problem: `第 ${at + 1} 行是日志自己的公钥，不是见证方的` };
  }
  return { trust: { ...(chain === '' ? {} : { chain }), witnesses: keys } };
}
