/** A scan that is not submitted yet, kept in this browser for whoever began it. */
import type { PackField } from '../../domain/types';
import type { Line } from './lines';

/** What survives a reload: no names, nothing personal, no prices. */
export interface Draft {
  batch: string;
  next: number;
  /** When it was first submitted: the same events again are the same events. */
  time: string;
  domain: string;
  type: string;
  counterparty: string;
  document: string;
  attributes: Record<string, string>;
  lines: Line[];
}

const LAST = 'yj.scan.kind';
const keyOf = (account: string): string => `yj.scan.${account}`;

export const emptyDraft = (domain: string, type: string): Draft => ({
  batch: Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  next: 1,
  time: '',
  domain,
  type,
  counterparty: '',
  document: '',
  attributes: {},
  lines: [],
});

function read<T>(key: string): T | undefined {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** The draft of an account on this device, else an empty one of the kind that was last scanned here. */
export function openDraft(account: string): Draft {
  const kind = read<{ domain: string; type: string }>(LAST);
  return read<Draft>(keyOf(account)) ?? emptyDraft(kind?.domain ?? '', kind?.type ?? '');
}

/** The attributes that are not everybody's to read, of whatever class. */
export const secretOf = (fields: PackField[] = []): Set<string> => new Set(fields.filter((one) => one.class).map((one) => one.name));

/** Keeps a draft. `secret`: attributes that are not kept, for they may say who somebody is or what something cost. */
export function keepDraft(account: string, draft: Draft, secret: ReadonlySet<string>): void {
  const attributes = Object.fromEntries(Object.entries(draft.attributes).filter(([name]) => !secret.has(name)));
  try {
    localStorage.setItem(keyOf(account), JSON.stringify({ ...draft, attributes }));
    localStorage.setItem(LAST, JSON.stringify({ domain: draft.domain, type: draft.type }));
  } catch {
    // A full or forbidden store costs the draft its survival, not the work at hand.
  }
}

/** Removes the draft of whoever logs out. */
export const dropDraft = (account: string): void => localStorage.removeItem(keyOf(account));
