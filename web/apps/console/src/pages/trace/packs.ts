/** Domain packs: which events a domain knows and what they need. */
import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { answer, client } from '../../api';
import type { Pack, PackEvent } from '../../domain/types';
import { DOMAINS } from '../../domain/words';

export function usePacks() {
  const found = useQuery({
    queryKey: ['packs'],
    // Packs are put into use while people work.
    staleTime: 60_000,
    queryFn: async () => {
      const list = await answer<{ code: string; accepts: boolean }[]>(client.GET('/api/v1/domains'));
      const whole = (code: string) => answer<Pack>(client.GET('/api/v1/domains/{code}', { params: { path: { code } } }));
      return Promise.all(list.map(async ({ code, accepts }) => ({ ...(await whole(code)), accepts })));
    },
  });
  const packs = computed(() => found.data.value ?? []);
  const event = (domain: string, type: string): PackEvent | undefined =>
    packs.value
      .find((pack) => pack.code === domain)
      ?.stages.flatMap((stage) => stage.events)
      .find((one) => one.code === type);
  const types = (domain: string): [string, string][] =>
    packs.value
      .filter((pack) => !domain || pack.code === domain)
      .flatMap((pack) => pack.stages.flatMap((stage) => stage.events.map((one): [string, string] => [one.code, one.name])));
  /** Every domain that the interface has a word for. */
  const domains = computed((): [string, string][] => {
    const own = packs.value.map((pack): [string, string] => [pack.code, pack.name]);
    return [...new Map([...Object.entries(DOMAINS), ...own])];
  });
  return { packs, event, types, domains };
}

/** An attribute as people read it. */
export function attribute(spec: PackEvent | undefined, name: string, value: unknown): [string, string] {
  const field = spec?.fields.find((one) => one.name === name);
  const text = field?.codes?.find(([code]) => code === value)?.[1] ?? (typeof value === 'boolean' ? (value ? '是' : '否') : String(value));
  return [field?.label ?? name, text];
}
