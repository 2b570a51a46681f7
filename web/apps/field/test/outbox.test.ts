import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../src/device';
import { waitingHere } from '../src/waiting';
import { answerOf, drain, mended, type Answer, type Door, type Entry, type EventBody } from '../src/outbox';

Object.assign(globalThis, { IDBKeyRange });
let device: Device;
beforeEach(async () => {
  device = await Device.open(new IDBFactory());
});

const entry = (id: string, recorded: number, more: Partial<Entry> = {}): Entry => ({
  id,
  account: 'farm',
  recorded,
  title: '采收',
  body: { external_id: id, domain: 'agri' },
  state: 'waiting',
  failures: 0,
  ...more,
});
/** A server that remembers what it stored, and answers as it is told. */
class Server implements Door {
  readonly stored: string[] = [];
  readonly asked: string[] = [];
  account: string | undefined = 'farm';
  answers: ((body: EventBody) => Answer | undefined)[] = [];

  async who(): Promise<string | undefined> {
    return this.account;
  }
  async send(body: EventBody): Promise<Answer> {
    this.asked.push(body.external_id);
    const told = this.answers.shift()?.(body);
    if (told) return told;
    const again = this.stored.includes(body.external_id);
    if (!again) this.stored.push(body.external_id);
    return { kind: 'stored', event: `E-${body.external_id}`, state: again ? 'duplicate' : 'accepted' };
  }
}
const run = (server: Server) => drain(device, server, 'farm', () => 7);
const states = async (): Promise<[string, string][]> => (await device.entries('farm')).map((one) => [one.id, one.state]);

describe('the outbox', () => {
  it('sends in the order of recording and forgets what is acknowledged', async () => {
    for (const one of [entry('b', 2), entry('a', 3), entry('c', 1)]) await device.put(one);
    const server = new Server();
    expect(await run(server)).toBe('done');
    expect(server.stored).toEqual(['c', 'b', 'a']);
    expect(await states()).toEqual([]);
    expect(await device.receipts('farm')).toHaveLength(3);
    expect((await device.receipts('farm'))[0]).toMatchObject({ event: expect.stringMatching(/^E-/), received: 7, state: 'accepted' });
  });

  it('loses nothing where the network breaks off, and sends nothing twice', async () => {
    await device.put(entry('a', 1));
    await device.put(entry('b', 2));
    const server = new Server();
    // It is stored, but the answer is lost on the way.
    server.answers.push((body) => (server.stored.push(body.external_id), { kind: 'later' }));
    expect(await run(server)).toBe('later');
    expect(await states()).toEqual([
      ['a', 'waiting'],
      ['b', 'waiting'],
    ]);
    expect(await run(server)).toBe('done');
    expect(server.stored).toEqual(['a', 'b']);
    expect((await device.receipts('farm')).find((one) => one.id === 'a')?.state).toBe('duplicate');
  });

  it('keeps a refused record with its reason and goes on with the others', async () => {
    await device.put(entry('a', 1));
    await device.put(entry('b', 2));
    const server = new Server();
    server.answers.push(() => ({ kind: 'refused', message: '地块编号：必填', errors: [{ field: 'attributes.plot', detail: '必填' }] }));
    expect(await run(server)).toBe('done');
    expect(server.stored).toEqual(['b']);
    const [refused] = await device.entries('farm');
    expect(refused).toMatchObject({ id: 'a', state: 'refused', refusal: { message: '地块编号：必填' } });
    // It is not sent again until it is mended.
    expect(await run(server)).toBe('done');
    expect(server.asked).toEqual(['a', 'b']);
    await device.put(mended(refused!, '采收', { external_id: 'other', domain: 'agri', mended: true }));
    expect(await run(server)).toBe('done');
    expect(server.stored).toEqual(['b', 'a']);
    expect(await states()).toEqual([]);
  });

  it('waits for whoever recorded to log in, and is never sent as another', async () => {
    await device.put(entry('a', 1));
    await device.put(entry('x', 1, { account: 'other' }));
    const server = new Server();
    server.account = undefined;
    expect(await run(server)).toBe('login');
    server.account = 'other';
    expect(await run(server)).toBe('stranger');
    expect(server.asked).toEqual([]);
    expect(await device.others('farm')).toBe(1);
    // Signed out in the middle of sending.
    server.account = 'farm';
    server.answers.push(() => ({ kind: 'login' }));
    expect(await run(server)).toBe('login');
    expect(await states()).toEqual([['a', 'waiting']]);
    expect(await run(server)).toBe('done');
    expect(server.stored).toEqual(['a']);
    expect(await device.entries('other')).toHaveLength(1);
  });

  it('puts a record aside on which the server keeps failing', async () => {
    await device.put(entry('a', 1));
    await device.put(entry('b', 2));
    const server = new Server();
    const fail = (): Answer => ({ kind: 'failed', message: '服务内部错误' });
    for (const ending of ['later', 'later', 'done']) {
      server.answers = [fail];
      expect(await run(server)).toBe(ending);
    }
    expect(server.stored).toEqual(['b']);
    expect(await states()).toEqual([['a', 'refused']]);
  });

  it('sends what is recorded while it sends, and not what is removed meanwhile', async () => {
    for (const one of [entry('a', 1), entry('b', 2)]) await device.put(one);
    const server = new Server();
    const send = server.send.bind(server);
    server.send = async (body) => {
      if (body.external_id === 'a') {
        await device.put(entry('c', 3));
        await device.remove('b');
      }
      return send(body);
    };
    expect(await run(server)).toBe('done');
    expect(server.stored).toEqual(['a', 'c']);
  });

  it('does not reach the server: everything stays', async () => {
    await device.put(entry('a', 1));
    const server = new Server();
    server.who = () => Promise.reject(new Error());
    expect(await run(server)).toBe('later');
    expect(await states()).toEqual([['a', 'waiting']]);
  });
});

describe('what the device keeps', () => {
  it('is cleared for one account and stays for others', async () => {
    for (const account of ['farm', 'farm2']) {
      await device.put(entry(`e-${account}`, 1, { account }));
      await device.keep(account, 'draft:agri/harvest', { plot: '1' });
      await device.acknowledge({ id: `r-${account}`, account, title: '', received: 1, event: '', state: 'held' });
      await device.keepPhoto({ sm3: '00', account, name: 'a.jpg', blob: new Blob(['a']) });
    }
    await device.keep('', 'packs', ['agri']);
    await device.clear('farm');
    expect([await device.entries('farm'), await device.receipts('farm'), await device.photos('farm')]).toEqual([[], [], []]);
    expect(await device.kept('farm', 'draft:agri/harvest')).toBeUndefined();
    expect(await device.entries('farm2')).toHaveLength(1);
    expect(await device.photos('farm2')).toHaveLength(1);
    expect(await device.kept('farm2', 'draft:agri/harvest')).toEqual({ plot: '1' });
    expect(await device.kept('', 'packs')).toEqual(['agri']);
  });
});

describe('a log-out', () => {
  it('is told whether anything waits, and leaves only that', async () => {
    const factory = new IDBFactory();
    expect(await waitingHere(factory)).toBe(0);
    const own = await Device.open(factory);
    expect(await waitingHere(factory)).toBe(0);
    await own.put(entry('a', 1));
    await own.keep('farm', 'provisions', {});
    await own.acknowledge({ id: 'r', account: 'farm', title: '', received: 1, event: '', state: 'held' });
    expect(await waitingHere(factory)).toBe(1);
    await own.forget('farm');
    expect([await own.receipts('farm'), await own.kept('farm', 'provisions')]).toEqual([[], undefined]);
    expect(await own.entries('farm')).toHaveLength(1);
  });
});

describe('trace codes kept for a day without a network', () => {
  it('are given once each, also to two tabs', async () => {
    expect(await device.takeCode('farm')).toBeUndefined();
    expect(await device.addCodes('farm', ['A', 'B', 'C'])).toBe(3);
    const taken = await Promise.all([device.takeCode('farm'), device.takeCode('farm')]);
    expect(new Set(taken)).toEqual(new Set(['A', 'B']));
    expect(await device.addCodes('farm', [])).toBe(1);
  });
});

describe('what an answer means', () => {
  const one = (result: object): unknown => ({ results: [result] });
  it('is told by its status and its content', () => {
    expect(answerOf(201, one({ id: 'E', state: 'held' }))).toEqual({ kind: 'stored', event: 'E', state: 'held' });
    expect(answerOf(200, one({ id: 'E', duplicate: true }))).toEqual({ kind: 'stored', event: 'E', state: 'duplicate' });
    expect(answerOf(200, one({ problem: { detail: '有误' } }))).toEqual({ kind: 'refused', message: '有误', errors: [] });
    // A page of some network's gate is no receipt.
    expect(answerOf(200, undefined).kind).toBe('later');
    expect(answerOf(200, one({})).kind).toBe('later');
    expect(answerOf(401, {}).kind).toBe('login');
    expect(answerOf(403, { detail: '没有权限' })).toMatchObject({ kind: 'refused', message: '没有权限' });
    for (const status of [408, 425, 429, 502, 503, 504, 304]) expect(answerOf(status, {}).kind).toBe('later');
    for (const status of [400, 404, 409, 413, 422]) expect(answerOf(status, { detail: '有误' }).kind).toBe('refused');
    expect(answerOf(500, {})).toMatchObject({ kind: 'failed', message: '服务没有正常应答（500）' });
  });
});
