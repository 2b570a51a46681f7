/** What the whole page knows: who records, what waits, whether there is a network. */
import { computed, reactive, ref, shallowRef } from 'vue';
import { Device } from './device';
import { drain, type Ending, type Entry, type Receipt } from './outbox';
import { Capture, moreCodes, provisions, signOut, whoIs, type Me, type Provisions } from './server';
import { waitingHere } from './waiting';

/** Forms are refreshed when they are older than this. */
const STALE_MS = 6 * 3_600_000;
/** Waits between tries where nothing says that the network is back. */
const RETRY_MS = [5_000, 15_000, 60_000, 300_000];
/** When to look again while another tab sends. */
const BUSY_MS = 2_000;
const LOCK = 'yj-field-outbox';

/** Who recorded last on this device; their forms open without a network. */
export type Person = Pick<Me, 'account' | 'user' | 'name' | 'organization'>;
export type Session = 'asking' | 'in' | 'out' | 'offline';

export const device = shallowRef<Device>();
export const person = ref<Person>();
export const session = ref<Session>('asking');
export const needs = shallowRef<Provisions>();
export const entries = ref<Entry[]>([]);
export const receipts = ref<Receipt[]>([]);
export const others = ref(0);
/** Trace codes kept for recording without a network. */
export const codesLeft = ref(0);
export const sending = ref(false);
export const notice = reactive({ text: '', bad: false });
export const waiting = computed(() => entries.value.filter((one) => one.state === 'waiting'));
export const refused = computed(() => entries.value.filter((one) => one.state === 'refused'));

export function say(text: string, bad = false): void {
  Object.assign(notice, { text, bad });
}

/** Reads anew what is kept; other tabs change it too. */
export async function reread(): Promise<void> {
  const [own, account] = [device.value!, person.value?.account];
  if (!account) return;
  [entries.value, receipts.value, others.value] = await Promise.all([own.entries(account), own.receipts(account), own.others(account)]);
}

async function become(found: Person): Promise<void> {
  const { account, user, name, organization } = found;
  person.value = { account, user, name, organization };
  await device.value!.keep('', 'person', person.value);
  needs.value = await device.value!.kept<Provisions>(account, 'provisions');
  codesLeft.value = await device.value!.addCodes(account, []);
  await reread();
}

/** Fetches what forms need. Without a network what is kept serves on. */
export async function refresh(me: Me): Promise<void> {
  const kept = await device.value!.kept<Provisions>(me.account, 'provisions');
  needs.value = await provisions(me, kept);
  await device.value!.keep(me.account, 'provisions', needs.value);
}

/** Keeps enough trace codes for a day without a network. */
async function stockUp(me: Me): Promise<void> {
  const left = await device.value!.addCodes(me.account, []);
  codesLeft.value = await device.value!.addCodes(me.account, await moreCodes(me, left));
}

/** Takes one of the codes kept for recording without a network. */
export async function takeCode(): Promise<string | undefined> {
  const account = person.value!.account;
  const code = await device.value!.takeCode(account);
  codesLeft.value = await device.value!.addCodes(account, []);
  return code;
}

/** Asks the server who is signed in. */
export async function ask(): Promise<void> {
  try {
    const me = await whoIs();
    if (!me) {
      session.value = 'out';
      return;
    }
    session.value = 'in';
    await become(me);
    await stockUp(me);
    if (!needs.value || Date.now() - needs.value.fetched > STALE_MS) await refresh(me);
  } catch (error) {
    const known = error instanceof Error && error.message.includes('没有绑定');
    session.value = known ? 'in' : 'offline';
    if (known) say((error as Error).message, true);
  }
}

/** What an ending says of the session. */
const STATES: Partial<Record<Ending, Session>> = { login: 'out', later: 'offline' };

let tries = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Only one tab sends at a time. Where the browser has no locks, the server tells the same event by its content. */
async function alone(work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    // The other tab may be past its last look already.
    else timer = setTimeout(() => void send(), BUSY_MS);
  });
}

/** Sends what waits, and tries again later where it must. */
export async function send(): Promise<void> {
  const account = person.value?.account;
  if (!account || sending.value) return;
  clearTimeout(timer);
  sending.value = true;
  try {
    await alone(async () => {
      const some = waiting.value.length > 0;
      const ending = await drain(device.value!, new Capture(), account, () => Date.now());
      if (ending === 'done' && some) session.value = 'in';
      if (ending in STATES) session.value = STATES[ending]!;
      if (ending === 'stranger') say('现在登录的是另一个账号，本机的待发记录须其本人登录后发送', true);
      tries = ending === 'later' ? tries + 1 : 0;
      if (ending === 'later') timer = setTimeout(() => void send(), RETRY_MS[Math.min(tries, RETRY_MS.length) - 1]);
    });
  } finally {
    sending.value = false;
    await reread();
    told?.postMessage('changed');
  }
}

let told: BroadcastChannel | undefined;

/** Opens the page: from what is kept first, then from the server. */
export async function open(): Promise<void> {
  device.value = await Device.open();
  device.value.whenClosed(() => location.reload());
  const kept = await device.value.kept<Person>('', 'person');
  if (kept) await become(kept);
  if (typeof BroadcastChannel !== 'undefined') {
    told = new BroadcastChannel('yj-field');
    told.onmessage = () => void reread();
  }
  const back = async (): Promise<void> => {
    await ask();
    await send();
  };
  addEventListener('online', () => void back());
  addEventListener('offline', () => (session.value = 'offline'));
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void back());
  await back();
  // The browser may otherwise clear what is not sent yet when the disk is full.
  await navigator.storage?.persist?.().catch(() => false);
}

export async function record(entry: Entry): Promise<void> {
  await device.value!.put(entry);
  await reread();
  void send();
}

export async function drop(id: string): Promise<void> {
  await device.value!.remove(id);
  await reread();
}

/** Logs out. What waits stays, for its owner; everything else goes. */
export async function leave(): Promise<void> {
  try {
    const some = (await waitingHere()) > 0;
    await signOut(some);
    if (some) {
      await device.value!.forget(person.value!.account);
      await device.value!.keep('', 'person', undefined);
    }
    location.replace('/field/');
  } catch {
    say('没有连上平台，退出不了；请联网后再退出', true);
  }
}

/** Removes everything of this person from the device. */
export async function clear(): Promise<void> {
  await device.value!.clear(person.value!.account);
  needs.value = undefined;
  await reread();
  await ask();
}

export const logIn = (): void => location.assign('/console/login?to=/field/');
