/** The service worker from the page's side: installed once, replaced only when somebody says so. */
import { ref, shallowRef } from 'vue';

/** A newer version that is ready to take over. */
export const update = shallowRef<ServiceWorker>();
const asked = ref(false);

export function takeOver(): void {
  asked.value = true;
  update.value?.postMessage('take-over');
}

export async function install(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const found = await navigator.serviceWorker.register('/field/sw.js', { scope: '/field/' }).catch(() => undefined);
  if (!found) return;
  const ready = (): void => {
    // The first one replaces nobody.
    if (found.waiting && navigator.serviceWorker.controller) update.value = found.waiting;
  };
  ready();
  found.addEventListener('updatefound', () => found.installing?.addEventListener('statechange', ready));
  navigator.serviceWorker.addEventListener('controllerchange', () => asked.value && location.reload());
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void found.update().catch(() => undefined));
}
