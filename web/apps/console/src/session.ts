/** Who is signed in, what they may do, and the descriptions everything is drawn from. */
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { answer, call, client, useCsrf } from './api';
import type { Entity, Me, Meta, Region } from './domain/types';
import { waitingHere } from '@field/waiting';
import { dropDraft } from './pages/scan/draft';
import { dropHeld } from './ui/unsaved';

/** What somebody shows besides the password. */
export type Shown = { code: string } | { recovery: string } | { webauthn: { challenge: string; credential: Record<string, unknown> } };

export const useSession = defineStore('session', () => {
  const me = ref<Me>();
  const meta = ref<Meta>();
  const regions = ref(new Map<string, string>());
  /** Somebody who has not shown everything yet. */
  const waiting = ref<Me>();

  async function enter(found: Me): Promise<void> {
    useCsrf(found.csrf ?? '');
    waiting.value = found.next ? found : undefined;
    if (found.next) return;
    meta.value = await answer<Meta>(client.GET('/api/v1/meta'));
    me.value = found;
    document.title = meta.value.platform.name;
    const parent = found.region ?? '610000';
    const [provinces, below] = await Promise.all([
      call<Region[]>('GET', '/api/v1/regions').catch(() => []),
      call<Region[]>('GET', '/api/v1/regions', { query: { parent, all: true } }).catch(() => []),
    ]);
    const own = provinces.filter((region) => region.code.slice(0, 2) === parent.slice(0, 2));
    regions.value = new Map([...own, ...below].map((region) => [region.code, region.full_name]));
  }

  async function signIn(user: string, password: string): Promise<void> {
    await enter((await call<{ me: Me }>('POST', '/api/v1/session', { body: { user, password } })).me);
  }

  async function showFactor(shown: Shown): Promise<void> {
    await enter((await call<{ me: Me }>('POST', '/api/v1/session/factor', { body: shown })).me);
  }

  /** Asks anew who is signed in: something about them has changed. */
  async function renew(): Promise<void> {
    await enter(await answer<Me>(client.GET('/api/v1/me')));
  }

  /** Goes on with the session that the browser still holds. */
  async function resume(): Promise<boolean> {
    if (me.value) return true;
    try {
      await renew();
      return me.value !== undefined;
    } catch {
      return false;
    }
  }

  async function signOut(): Promise<void> {
    // What somebody recorded in the field and could not send yet exists nowhere else.
    const query = (await waitingHere()) > 0 ? { keep: 'outbox' } : {};
    await call('DELETE', '/api/v1/session', { query }).catch(() => undefined);
    if (me.value) dropDraft(me.value.account);
    dropHeld();
    forget();
  }

  function forget(): void {
    me.value = undefined;
    waiting.value = undefined;
    useCsrf('');
  }

  const may = (permission: string): boolean => me.value?.permissions.includes(permission) ?? false;
  const entity = (table: string): Entity | undefined => meta.value?.entities.find((one) => one.table === table);
  const regionName = (code: string): string => regions.value.get(code) ?? code;
  const profile = computed(() => meta.value?.platform.profile ?? 'gbt38157');
  return { me, meta, waiting, regions, profile, signIn, showFactor, renew, signOut, resume, forget, may, entity, regionName };
});
