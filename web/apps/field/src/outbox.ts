/** What was recorded and is not acknowledged yet. Nothing here knows a browser or a network. */

/** A trace event as the server takes it. */
export type EventBody = Record<string, unknown> & { external_id: string };

export interface FieldError {
  field: string;
  detail: string;
}

/** A record that waits, or that somebody must mend. */
export interface Entry {
  /** Also the event's `external_id`: the same record is the same event, however often it is sent. */
  id: string;
  /** Whose it is; nobody else sends it. */
  account: string;
  /** Milliseconds; records are sent in the order they were made. */
  recorded: number;
  title: string;
  body: EventBody;
  state: 'waiting' | 'refused';
  /** Times the server failed on it. */
  failures: number;
  refusal?: { message: string; errors: FieldError[] };
}

/** What the server said when it took a record. */
export interface Receipt {
  id: string;
  account: string;
  title: string;
  received: number;
  /** The event's identifier. */
  event: string;
  state: 'accepted' | 'held' | 'duplicate';
}

/** Where records are kept until they are acknowledged. */
export interface Store {
  /** The records of an account, oldest first. */
  entries(account: string): Promise<Entry[]>;
  entry(id: string): Promise<Entry | undefined>;
  put(entry: Entry): Promise<void>;
  /** Keeps the receipt and removes the record, both or neither. */
  acknowledge(receipt: Receipt): Promise<void>;
}

/** What came of sending one record. */
export type Answer =
  | { kind: 'stored'; event: string; state: Receipt['state'] }
  | { kind: 'refused'; message: string; errors: FieldError[] }
  /** Who is signed in must be asked again. */
  | { kind: 'login' }
  /** No network, or the server has no time now. */
  | { kind: 'later' }
  /** The server failed on this record. */
  | { kind: 'failed'; message: string };

export interface Door {
  /** The account that is signed in; nothing where nobody is. Throws where the server is not reached. */
  who(): Promise<string | undefined>;
  send(body: EventBody): Promise<Answer>;
}

/** How sending ended. */
export type Ending = 'done' | 'login' | 'stranger' | 'later';

/** A record on which the server fails this often is put aside, so that others get through. */
const FAILURES_MAX = 3;

/** Sends what waits of one account, in order. May be broken off anywhere: nothing is lost or sent as somebody else's. */
export async function drain(store: Store, door: Door, account: string, now: () => number): Promise<Ending> {
  let waiting = (await store.entries(account)).filter((one) => one.state === 'waiting');
  if (waiting.length === 0) return 'done';
  let who: string | undefined;
  try {
    who = await door.who();
  } catch {
    return 'later';
  }
  if (who === undefined) return 'login';
  if (who !== account) return 'stranger';
  while (waiting.length > 0) {
    for (const { id } of waiting) {
      // Another tab may have removed or changed it meanwhile.
      const entry = await store.entry(id);
      if (!entry || entry.state !== 'waiting') continue;
      const ending = await sendOne(store, door, entry, now);
      if (ending) return ending;
    }
    const sent = new Set(waiting.map((one) => one.id));
    // What was recorded while these were sent goes too.
    waiting = (await store.entries(account)).filter((one) => one.state === 'waiting' && !sent.has(one.id));
  }
  return 'done';
}

/** Sends one record; says why no other can be sent now. */
async function sendOne(store: Store, door: Door, entry: Entry, now: () => number): Promise<Ending | undefined> {
  const answer = await door.send(entry.body);
  switch (answer.kind) {
    case 'stored': {
      const { id, account, title } = entry;
      await store.acknowledge({ id, account, title, received: now(), event: answer.event, state: answer.state });
      return undefined;
    }
    case 'refused':
      await store.put({ ...entry, state: 'refused', refusal: { message: answer.message, errors: answer.errors } });
      return undefined;
    case 'failed': {
      const failures = entry.failures + 1;
      if (failures < FAILURES_MAX) {
        await store.put({ ...entry, failures });
        return 'later';
      }
      await store.put({ ...entry, failures, state: 'refused', refusal: { message: answer.message, errors: [] } });
      return undefined;
    }
    case 'login':
      return 'login';
    case 'later':
      return 'later';
  }
}

/** A refused record, mended: it waits again under the name it has. */
export const mended = (entry: Entry, title: string, body: EventBody): Entry => ({
  ...entry,
  title,
  body: { ...body, external_id: entry.id },
  state: 'waiting',
  failures: 0,
  refusal: undefined,
});

/** What an HTTP answer means for a record. */
export function answerOf(status: number, body: unknown): Answer {
  const said = (body ?? {}) as {
    detail?: string;
    errors?: FieldError[];
    results?: { id?: string; state?: string; duplicate?: boolean; problem?: { detail: string; errors?: FieldError[] } }[];
  };
  if (status === 200 || status === 201) {
    const result = said.results?.[0];
    // An answer that is none of ours (a gate of some hotel network) acknowledges nothing.
    if (!result) return { kind: 'later' };
    if (result.problem) return { kind: 'refused', message: result.problem.detail, errors: result.problem.errors ?? [] };
    if (!result.id) return { kind: 'later' };
    const state = result.duplicate ? 'duplicate' : result.state === 'held' ? 'held' : 'accepted';
    return { kind: 'stored', event: result.id, state };
  }
  if (status === 401) return { kind: 'login' };
  if (status === 408 || status === 425 || status === 429 || status === 502 || status === 503 || status === 504) return { kind: 'later' };
  const message = said.detail ?? `服务没有正常应答（${status}）`;
  if (status >= 500) return { kind: 'failed', message };
  if (status >= 400) return { kind: 'refused', message, errors: said.errors ?? [] };
  return { kind: 'later' };
}
