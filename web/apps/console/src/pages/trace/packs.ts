/** Domain packs: which events a domain knows and what they need. */
import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { answer, client } from '../../api';
import type { Pack, PackEvent } from '../../domain/types';

export function usePacks() {
  const found = useQuery({
    queryKey: ['packs'],
    staleTime: Infinity,
    queryFn: async () => {
      const list = await answer<{ code: string }[]>(client.GET('/api/v1/domains'));
      return Promise.all(list.map(({ code }) => answer<Pack>(client.GET('/api/v1/domains/{code}', { params: { path: { code } } }))));
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
  return { packs, event, types };
}

/** An attribute as people read it. */
export function attribute(spec: PackEvent | undefined, name: string, value: unknown): [string, string] {
  const field = spec?.fields.find((one) => one.name === name);
  const text = field?.codes?.find(([code]) => code === value)?.[1] ?? (typeof value === 'boolean' ? (value ? '是' : '否') : String(value));
  return [field?.label ?? name, text];
}
