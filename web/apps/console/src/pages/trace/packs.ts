/** Domain packs: which events a domain knows and what they need. */
import { useQuery } from '@tanstack/vue-query';
import { computed, toValue, type MaybeRefOrGetter } from 'vue';
import { answer, client } from '../../api';
import { amount, moment } from '../../domain/format';
import type { Pack, PackEvent, PackField } from '../../domain/types';
import { DOMAINS } from '../../domain/words';

export function usePacks(needed: MaybeRefOrGetter<boolean> = true) {
  const found = useQuery({
    queryKey: ['packs'],
    enabled: () => toValue(needed),
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
  /** Event types to choose from; one that several domains have under different names has them all. */
  const types = (domain: string): [string, string][] => {
    const names = new Map<string, Set<string>>();
    for (const pack of packs.value.filter((one) => !domain || one.code === domain)) {
      for (const { code, name } of pack.stages.flatMap((stage) => stage.events)) names.set(code, (names.get(code) ?? new Set()).add(name));
    }
    return [...names].map(([code, called]) => [code, [...called].join('／')]);
  };
  /** Every domain that the interface has a word for. */
  const domains = computed((): [string, string][] => {
    const own = packs.value.map((pack): [string, string] => [pack.code, pack.name]);
    return [...new Map([...Object.entries(DOMAINS), ...own])];
  });
  /** What products of a domain hold besides what all hold; `undefined` until it is known. */
  const product = (domain: string): PackField[] | undefined =>
    found.data.value && (packs.value.find((pack) => pack.code === domain)?.product_fields ?? []);
  return { packs, event, types, domains, product };
}

/** A test result as it was sent, and what that means where it is no number. */
export function resultText(text: string): string {
  const sign = /^\s*([<＜≤>＞≥])/.exec(text)?.[1];
  if (sign)
    return `${text}（${'<＜'.includes(sign) ? '低于该值，不是数值' : '≤≥'.includes(sign) ? '该值为界，不是数值' : '高于该值，不是数值'}）`;
  return /^\s*n\.?d/i.test(text) ? `${text}（未检出，不等于 0）` : text;
}

/** An attribute as people read it. */
export function attribute(spec: Pick<PackEvent, 'fields'> | undefined, name: string, value: unknown): [string, string] {
  const field = spec?.fields.find((one) => one.name === name);
  const text = field?.codes?.find(([code]) => code === value)?.[1] ?? (typeof value === 'boolean' ? (value ? '是' : '否') : String(value));
  return [field?.label ?? name, worded(field?.kind, text)];
}

function worded(kind: PackField['kind'] | undefined, text: string): string {
  if (kind === 'result') return resultText(text);
  if (kind === 'time') return moment(text);
  return kind === 'decimal' || kind === 'int' ? amount(text) : text;
}

/** Attributes in the order in which their pack describes them; what it does not know comes last. */
export function inOrder(spec: Pick<PackEvent, 'fields'> | undefined, attributes: Record<string, unknown>): [string, unknown][] {
  const place = (name: string): number => {
    const at = spec?.fields.findIndex((one) => one.name === name) ?? -1;
    return at < 0 ? Number.MAX_SAFE_INTEGER : at;
  };
  return Object.entries(attributes).sort(([one], [two]) => place(one) - place(two));
}
