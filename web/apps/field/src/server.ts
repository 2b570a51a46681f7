/** The server as the field page knows it: who is signed in, what forms need, and where records go. */
import type { Pack } from '@/domain/types';
import { answerOf, type Answer, type Door, type EventBody } from './outbox';

/** A hanging connection is none; the record is sent again, and is the same record. */
const PATIENCE_MS = 30_000;

export interface Me {
  account: string;
  user: string;
  name: string;
  organization: string;
  subject: { id: string } | null;
  permissions: string[];
  csrf: string | null;
  next: string | null;
}

/** The server was not reached. */
export class Unreachable extends Error {}
/** Nobody is signed in. */
export class SignedOut extends Error {}

async function reach(path: string, options: RequestInit = {}): Promise<Response> {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), PATIENCE_MS);
  try {
    const response = await fetch(path, { ...options, signal: control.signal, cache: 'no-store' });
    // The whole answer within the time, not its head alone.
    const text = await response.text();
    return new Response(text || null, response);
  } catch {
    throw new Unreachable('网络不通');
  } finally {
    clearTimeout(timer);
  }
}

async function get<T>(path: string): Promise<T> {
  const response = await reach(path, { headers: { accept: 'application/json' } });
  if (response.status === 401) throw new SignedOut();
  // A gate of some hotel network answers, but not for us.
  const ours = response.headers.get('content-type')?.includes('json') ?? false;
  if (!response.ok || !ours) throw new Unreachable(`服务没有正常应答（${response.status}）`);
  return (await response.json()) as T;
}

const post = (path: string, csrf: string, body: unknown): Promise<Response> =>
  reach(path, { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf': csrf }, body: JSON.stringify(body) });

/** Who is signed in; `undefined` where nobody is, or not wholly. */
export async function whoIs(): Promise<Me | undefined> {
  try {
    const me = await get<Me>('/api/v1/me');
    return me.next ? undefined : me;
  } catch (error) {
    if (error instanceof SignedOut) return undefined;
    throw error;
  }
}

/**
 * The door of capture. The token belongs to one session: should somebody else log in between two
 * records, the server refuses the token, and nothing is sent in their name.
 */
export class Capture implements Door {
  private csrf = '';
  private account = '';

  async who(): Promise<string | undefined> {
    const me = await whoIs();
    [this.csrf, this.account] = [me?.csrf ?? '', me?.account ?? ''];
    return me?.account;
  }

  async send(body: EventBody): Promise<Answer> {
    const account = this.account;
    try {
      let response = await post('/api/v1/trace/events', this.csrf, body);
      if (response.status === 403) {
        // Not permitted, or not in this session any more? The session itself says which.
        const token = this.csrf;
        if ((await this.who()) !== account) return { kind: 'login' };
        if (this.csrf !== token) response = await post('/api/v1/trace/events', this.csrf, body);
      }
      return answerOf(response.status, await response.json().catch(() => undefined));
    } catch (error) {
      if (error instanceof Unreachable) return { kind: 'later' };
      throw error;
    }
  }
}

export interface Ware {
  code: string;
  name: string;
  unit: string;
  domain: string;
}
/** What forms need without a network. */
export interface Provisions {
  /** When it was fetched, milliseconds. */
  fetched: number;
  subject: { code: string; name: string; region: string };
  packs: Pack[];
  products: Ware[];
  /** `domain/type`, most recorded first. */
  usual: string[];
  /** Other parties of late. */
  parties: string[];
}

/** Trace codes kept for recording without a network. */
const CODES_KEPT = 40;
interface Recent {
  domain: string;
  type: string;
  counterparty: string | null;
  recorded_by: string;
  product?: { code: string; name: string } | null;
  outputs?: { unit?: string | null }[];
}

/** `domain/type` of events, most frequent first; one's own count double. */
export function usualOf(events: Recent[], me: string): string[] {
  const counts = new Map<string, number>();
  for (const one of events) {
    const key = `${one.domain}/${one.type}`;
    counts.set(key, (counts.get(key) ?? 0) + (one.recorded_by === me ? 2 : 1));
  }
  return [...counts].sort((left, right) => right[1] - left[1]).map(([key]) => key);
}

/** Products to choose from: those registered within reach, and those recorded of late. */
function waresOf(registered: Ware[], events: Recent[]): Ware[] {
  const wares = new Map<string, Ware>();
  for (const { product, outputs, domain } of events) {
    if (product) wares.set(product.code, { code: product.code, name: product.name, unit: outputs?.[0]?.unit ?? 'KGM', domain });
  }
  for (const { code, name, unit, domain } of registered) wares.set(code, { code, name, unit, domain });
  return [...wares.values()];
}

async function packsOf(known: Pack[]): Promise<Pack[]> {
  const list = await get<{ code: string; version: string; accepts: boolean }[]>('/api/v1/domains');
  const whole = async ({ code, version }: { code: string; version: string }): Promise<Pack> => {
    const kept = known.find((pack) => pack.code === code && pack.version === version);
    return kept ?? { ...(await get<Pack>(`/api/v1/domains/${code}`)), accepts: true };
  };
  return Promise.all(list.filter((one) => one.accepts).map(whole));
}

interface Listed<T> {
  items: T[];
}

/** Fetches what forms need; of packs only those in another version than is kept. */
export async function provisions(me: Me, kept: Provisions | undefined): Promise<Provisions> {
  if (!me.subject) throw new Error('这个账号没有绑定追溯主体，不能在现场登记');
  const { id } = me.subject;
  const [subject, packs, recent, products] = await Promise.all([
    get<{ code: string; name: string; region: string }>(`/api/v1/trace_subject/${id}`),
    packsOf(kept?.packs ?? []),
    get<Listed<Recent>>(`/api/v1/trace/events?subject_id=${id}&per_page=100`).catch(() => ({ items: [] })),
    get<Listed<Ware>>('/api/v1/product?per_page=100').catch(() => ({ items: [] })),
  ]);
  const parties = recent.items.flatMap((one) => one.counterparty ?? []);
  return {
    fetched: Date.now(),
    subject: { code: subject.code, name: subject.name, region: subject.region },
    packs,
    products: waresOf(products.items, recent.items),
    usual: usualOf(recent.items, me.user),
    parties: [...new Set(parties)].slice(0, 20),
  };
}

/** Asks for trace codes, where fewer than half are left. */
export async function moreCodes(me: Me, left: number): Promise<string[]> {
  if (left >= CODES_KEPT / 2 || !me.permissions.includes('trace:capture')) return [];
  const response = await post('/api/v1/trace/codes', me.csrf ?? '', { count: CODES_KEPT - left });
  if (!response.ok) return [];
  return ((await response.json().catch(() => ({ codes: [] }))) as { codes: string[] }).codes;
}

/** Ends the session. `keep`: records wait here, and the browser must not wipe its store. */
export async function signOut(keep: boolean): Promise<void> {
  const me = await whoIs();
  if (!me) return;
  const path = `/api/v1/session${keep ? '?keep=outbox' : ''}`;
  await reach(path, { method: 'DELETE', headers: { 'x-csrf': me.csrf ?? '' } });
}
