/**
 * Keeps the page of 存证校验 with its script and style, and nothing else, so that proofs can be
 * checked without a network and without the platform. What the platform has newer goes first.
 */
/// <reference lib="webworker" />
export {};

const worker = globalThis as unknown as ServiceWorkerGlobalScope;
/** Written by the build: a digest of the files, so that a changed one makes a new worker. */
declare const DIGEST: string;

const PREFIX = 'yj-verify-';
const NAME = PREFIX + DIGEST;
const PAGE = '/verify';
const KEPT = [PAGE, '/portal.css', '/portal/check.js'];
/** How long the platform may take before the kept page is shown. */
const PATIENCE_MS = 4_000;

worker.addEventListener('install', (event) => {
  const fetched = (path: string): Request => new Request(path, { cache: 'reload' });
  const keep = async (): Promise<void> => {
    await (await caches.open(NAME)).addAll(KEPT.map(fetched));
    await worker.skipWaiting();
  };
  event.waitUntil(keep());
});

worker.addEventListener('activate', (event) => {
  const old = async (): Promise<void> => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(old());
});

async function answer(request: Request, path: string): Promise<Response> {
  const kept = await (await caches.open(NAME)).match(path);
  if (!kept) return fetch(request);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  const fresh = fetch(request).then((response) => (response.ok ? response : kept));
  return Promise.race([fresh.catch(() => kept), late]);
}

worker.addEventListener('fetch', (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== worker.location.origin || !KEPT.includes(pathname)) return;
  event.respondWith(answer(event.request, pathname));
});
