/** Conditions that live in the address, so that what is seen can be sent to a colleague. */
import { computed } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import type { Query } from '../api';

/** A condition as the address has it. One name may be there twice: then both hold. */
export type Pair = [name: string, value: string];

/** Pairs as the parameters of a request. */
export function grouped(pairs: Pair[]): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of pairs) {
    const known = found[name];
    found[name] = known === undefined ? value : [known, value].flat();
  }
  return found;
}

/** Pairs as the server keeps and answers them. */
export const queryText = (pairs: Pair[]): string => new URLSearchParams(pairs).toString();
export const pairsOf = (query: string): Pair[] => [...new URLSearchParams(query)];

/** Whether two sets of conditions say the same, in whatever order. */
export function alike(one: Pair[], two: Pair[]): boolean {
  const form = (pairs: Pair[]): string => queryText([...pairs].sort((a, b) => a.join('=').localeCompare(b.join('='))));
  return form(one) === form(two);
}

/** The pairs that a form with these fields does not show. */
export function beside(pairs: Pair[], shown: string[]): Pair[] {
  const seen = new Set<string>();
  return pairs.filter(([name]) => {
    if (!shown.includes(name) || seen.has(name)) return true;
    seen.add(name);
    return false;
  });
}

/** `own`: parameters of the page that are no conditions. */
export function useAddress(own: string[]) {
  const [route, router] = [useRoute(), useRouter()];
  const text = (name: string): string | undefined => {
    const value = [route.query[name]].flat()[0];
    return typeof value === 'string' ? value : undefined;
  };
  const change = (changes: Query): void => {
    const query = { ...route.query } as Record<string, string | string[]>;
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === '') delete query[name];
      else query[name] = Array.isArray(value) ? value : String(value);
    }
    void router.replace({ query });
  };
  const pairs = computed(() => {
    const all = Object.entries(route.query)
      .filter(([name]) => !own.includes(name))
      .flatMap(([name, value]) => [value].flat().map((one): Pair => [name, one ?? '']));
    // Said twice is said once.
    return all.filter(([name, value], at) => value !== '' && all.findIndex((one) => one[0] === name && one[1] === value) === at);
  });
  const filters = computed((): Record<string, string> => Object.fromEntries([...pairs.value].reverse()));
  /** Replaces the conditions, with changes of the page's own parameters. */
  const replace = (next: Pair[], changes: Query = {}): void => {
    const cleared = Object.fromEntries(pairs.value.map(([name]) => [name, undefined]));
    change({ ...cleared, ...grouped(next), ...changes });
  };
  /** Replaces the conditions that a form shows; an empty form clears the others as well. */
  const refine = (values: Record<string, string | undefined>, changes: Query = {}): void => {
    const names = Object.keys(values);
    const set = Object.entries(values).flatMap(([name, value]): Pair[] => (value ? [[name, value]] : []));
    replace(names.length === 0 ? [] : [...set, ...beside(pairs.value, names)], changes);
  };
  const drop = (gone: Pair[], changes: Query = {}): void => {
    const stays = ([name, value]: Pair): boolean => !gone.some((one) => one[0] === name && one[1] === value);
    replace(pairs.value.filter(stays), changes);
  };
  return { text, change, pairs, filters, replace, refine, drop };
}
