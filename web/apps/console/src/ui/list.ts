/** A list whose conditions live in the address, so that it can be sent to a colleague. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query';
import { computed, type ComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import { call, type Query } from '../api';
import type { Page } from '../domain/types';

const OWN = ['page', 'per_page', 'sort'];

export function useList<T>(path: ComputedRef<string>, options: { sort: string; count: boolean; map?: (filters: Query) => Query }) {
  const [route, router] = [useRoute(), useRouter()];
  const text = (name: string): string | undefined => {
    const value = route.query[name];
    return typeof value === 'string' ? value : undefined;
  };
  const change = (changes: Query): void => {
    const query = { ...route.query } as Record<string, string>;
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === '') delete query[name];
      else query[name] = String(value);
    }
    void router.replace({ query });
  };
  const page = computed({ get: () => Number(text('page') ?? 1), set: (value) => change({ page: value === 1 ? undefined : value }) });
  const perPage = computed({
    get: () => Number(text('per_page') ?? 20),
    set: (value) => change({ per_page: value === 20 ? undefined : value, page: undefined }),
  });
  const sort = computed({ get: () => text('sort') ?? options.sort, set: (value) => change({ sort: value, page: undefined }) });
  const filters = computed(() => {
    const names = Object.keys(route.query).filter((name) => !OWN.includes(name));
    return Object.fromEntries(names.map((name) => [name, text(name) ?? '']));
  });
  const query = computed<Query>(() => ({
    ...(options.map ? options.map(filters.value) : filters.value),
    page: page.value,
    per_page: perPage.value,
    sort: sort.value,
    ...(options.count ? { count: true } : {}),
  }));
  const found = useQuery({
    queryKey: computed(() => ['list', path.value, query.value]),
    queryFn: () => call<Page<T>>('GET', path.value, { query: query.value }),
    placeholderData: keepPreviousData,
  });
  /** Replaces the conditions and begins at the first page. */
  const search = (conditions: Query): void => {
    const cleared = Object.fromEntries(Object.keys(filters.value).map((name) => [name, undefined]));
    change({ ...cleared, ...conditions, page: undefined });
  };
  return { page, perPage, sort, filters, search, found };
}
