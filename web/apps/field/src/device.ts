/** What this device keeps: records, receipts, photos and what forms need without a network. */
import type { Entry, Receipt, Store } from './outbox';
import { STORE } from './waiting';

const VERSION = 1;
/** Receipts kept for each account; they say that a record arrived, and nothing depends on them. */
const RECEIPTS_MAX = 200;

export interface Photo {
  /** SM3, 64 hexadecimal digits. */
  sm3: string;
  account: string;
  name: string;
  blob: Blob;
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
const complete = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });

export class Device implements Store {
  private constructor(private readonly base: IDBDatabase) {}

  static async open(factory: IDBFactory = indexedDB): Promise<Device> {
    const request = factory.open(STORE, VERSION);
    request.onupgradeneeded = () => {
      for (const table of ['outbox', 'receipts']) {
        request.result.createObjectStore(table, { keyPath: 'id' }).createIndex('account', 'account');
      }
      request.result.createObjectStore('photos', { keyPath: ['account', 'sm3'] });
      // [account, name] → value; account '' is of the device.
      request.result.createObjectStore('kept');
    };
    const base = await done(request);
    // A newer page may need the tables otherwise.
    base.onversionchange = () => base.close();
    return new Device(base);
  }

  /** Says when the browser closed the store: somebody logged out elsewhere, and it was wiped. */
  whenClosed(action: () => void): void {
    this.base.onclose = action;
  }

  private table(name: string, mode: IDBTransactionMode = 'readonly'): [IDBObjectStore, IDBTransaction] {
    // Written to disk before it is answered: a record that is shown as kept is kept.
    const transaction = this.base.transaction(name, mode, mode === 'readwrite' ? { durability: 'strict' } : undefined);
    return [transaction.objectStore(name), transaction];
  }

  async entries(account: string): Promise<Entry[]> {
    const found: Entry[] = await done(this.table('outbox')[0].index('account').getAll(account));
    return found.sort((left, right) => left.recorded - right.recorded || (left.id < right.id ? -1 : 1));
  }

  async entry(id: string): Promise<Entry | undefined> {
    return done(this.table('outbox')[0].get(id));
  }

  async put(entry: Entry): Promise<void> {
    const [table, transaction] = this.table('outbox', 'readwrite');
    table.put(JSON.parse(JSON.stringify(entry)));
    await complete(transaction);
  }

  async remove(id: string): Promise<void> {
    const [table, transaction] = this.table('outbox', 'readwrite');
    table.delete(id);
    await complete(transaction);
  }

  async acknowledge(receipt: Receipt): Promise<void> {
    const transaction = this.base.transaction(['outbox', 'receipts'], 'readwrite', { durability: 'strict' });
    transaction.objectStore('receipts').put(receipt);
    transaction.objectStore('outbox').delete(receipt.id);
    await complete(transaction);
  }

  /** Newest first. */
  async receipts(account: string): Promise<Receipt[]> {
    const found: Receipt[] = await done(this.table('receipts')[0].index('account').getAll(account));
    found.sort((left, right) => right.received - left.received);
    if (found.length > RECEIPTS_MAX) {
      const [table, transaction] = this.table('receipts', 'readwrite');
      found.splice(RECEIPTS_MAX).forEach((one) => table.delete(one.id));
      await complete(transaction);
    }
    return found;
  }

  /** How many records of others wait on this device. */
  async others(account: string): Promise<number> {
    const [table] = this.table('outbox');
    const [all, own] = await Promise.all([done(table.count()), done(table.index('account').count(account))]);
    return all - own;
  }

  async keep(account: string, name: string, value: unknown): Promise<void> {
    const [table, transaction] = this.table('kept', 'readwrite');
    if (value === undefined) table.delete([account, name]);
    else table.put(JSON.parse(JSON.stringify(value)), [account, name]);
    await complete(transaction);
  }

  async kept<T>(account: string, name: string): Promise<T | undefined> {
    return done(this.table('kept')[0].get([account, name]));
  }

  /** Changes the trace codes kept for an account, whatever another tab does at the same moment. */
  private async changeCodes<T>(account: string, change: (codes: string[]) => T): Promise<T> {
    const [table, transaction] = this.table('kept', 'readwrite');
    const codes: string[] = (await done(table.get([account, 'codes']))) ?? [];
    const answer = change(codes);
    table.put(codes, [account, 'codes']);
    await complete(transaction);
    return answer;
  }

  /** Takes one of the codes out: it is never given again. */
  takeCode(account: string): Promise<string | undefined> {
    return this.changeCodes(account, (codes) => codes.shift());
  }

  /** Adds codes; returns how many there are. */
  addCodes(account: string, more: string[]): Promise<number> {
    return this.changeCodes(account, (codes) => codes.push(...more));
  }

  async keepPhoto(photo: Photo): Promise<void> {
    const [table, transaction] = this.table('photos', 'readwrite');
    table.put(photo);
    await complete(transaction);
  }

  async photos(account: string): Promise<Photo[]> {
    return done(this.table('photos')[0].getAll(range(account)));
  }

  /** Removes what an account leaves behind besides records that wait and their photos. */
  async forget(account: string): Promise<void> {
    const transaction = this.base.transaction(['receipts', 'kept'], 'readwrite', { durability: 'strict' });
    const cursor = transaction.objectStore('receipts').index('account').openCursor(account);
    cursor.onsuccess = () => {
      cursor.result?.delete();
      cursor.result?.continue();
    };
    transaction.objectStore('kept').delete(range(account));
    await complete(transaction);
  }

  /** Removes everything of an account from this device. */
  async clear(account: string): Promise<void> {
    const transaction = this.base.transaction(['outbox', 'receipts', 'photos', 'kept'], 'readwrite', { durability: 'strict' });
    for (const name of ['outbox', 'receipts']) {
      const cursor = transaction.objectStore(name).index('account').openCursor(account);
      cursor.onsuccess = () => {
        cursor.result?.delete();
        cursor.result?.continue();
      };
    }
    for (const name of ['photos', 'kept']) transaction.objectStore(name).delete(range(account));
    await complete(transaction);
  }
}

/** Every key that begins with an account. */
const range = (account: string): IDBKeyRange => IDBKeyRange.bound([account], [account, []]);
