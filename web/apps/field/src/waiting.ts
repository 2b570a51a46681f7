/** How many records wait on this device, of whomever: what a log-out must not wipe away. */

/** The name of the field page's store. */
export const STORE = 'yj-field';

export function waitingHere(factory: IDBFactory = indexedDB): Promise<number> {
  return new Promise((resolve) => {
    const request = factory.open(STORE);
    // Where there is no store yet, none is made.
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onerror = (event) => {
      event.preventDefault();
      // There is none; or nobody can tell, and then nothing is wiped away.
      resolve(request.error?.name === 'AbortError' ? 0 : 1);
    };
    request.onsuccess = () => {
      const base = request.result;
      const transaction = base.transaction('outbox');
      const count = transaction.objectStore('outbox').count();
      count.onsuccess = () => resolve(count.result);
      count.onerror = () => resolve(1);
      transaction.oncomplete = () => base.close();
    };
  });
}
