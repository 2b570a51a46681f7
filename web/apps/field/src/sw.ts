/**
 * Keeps the shell of the field page, and nothing else: no answer of the interface is ever cached, for
 * it may say who somebody is. A new version waits until the page lets it take over.
 */
/// <reference lib="webworker" />
const worker = globalThis as unknown as ServiceWorkerGlobalScope;
/** Written by the build: the files of the shell, and a digest of them. */
declare const SHELL: string[];
declare const DIGEST: string;

const PREFIX = 'yj-field-shell-';
const NAME = PREFIX + DIGEST;
const START = '/field/';

worker.addEventListener('install', (event) => {
  const fetched = (path: string): Request => new Request(path, { cache: 'reload' });
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll([START, ...SHELL].map(fetched))));
});

worker.addEventListener('activate', (event) => {
  const old = async (): Promise<void> => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(old());
});

worker.addEventListener('message', (event) => {
  if (event.data === 'take-over') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin || !pathname.startsWith(START)) return;
  const key = request.mode === 'navigate' ? START : pathname;
  event.respondWith(caches.open(NAME).then(async (cache) => (await cache.match(key)) ?? fetch(request)));
});
