/** A list whose conditions live in the address, so that it can be sent to a colleague. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query';
import { computed, type ComputedRef } from 'vue';
import { call, type Query } from '../api';
import type { Page } from '../domain/types';
import { grouped, useAddress, type Pair } from './address';

const OWN = ['page', 'per_page', 'sort'];
/** A change of conditions begins at the first page. */
const FIRST: Query = { page: undefined };

export function useList<T>(path: ComputedRef<string>, options: { sort: string; count: boolean; map?: (filters: Query) => Query }) {
  const { text, change, pairs, filters, replace, refine, drop } = useAddress(OWN);
  const page = computed({ get: () => Number(text('page') ?? 1), set: (value) => change({ page: value === 1 ? undefined : value }) });
  const perPage = computed({
    get: () => Number(text('per_page') ?? 20),
    set: (value) => change({ per_page: value === 20 ? undefined : value, page: undefined }),
  });
  const sort = computed({ get: () => text('sort') ?? options.sort, set: (value) => change({ sort: value, page: undefined }) });
  const conditions = computed<Query>(() => (options.map ? options.map(filters.value) : grouped(pairs.value)));
  const query = computed<Query>(() => ({ ...conditions.value, page: page.value, per_page: perPage.value, sort: sort.value }));
  const found = useQuery({
    queryKey: computed(() => ['list', path.value, query.value]),
    queryFn: () => call<Page<T>>('GET', path.value, { query: query.value }),
    placeholderData: keepPreviousData,
  });
  /** The page comes first; how many there are may take longer, and stays the same from page to page. */
  const counted = useQuery({
    queryKey: computed(() => ['list', path.value, 'count', conditions.value]),
    queryFn: () => call<Page<T>>('GET', path.value, { query: { ...conditions.value, count: 'only' } }),
    enabled: options.count,
  });
  const total = computed(() => counted.data.value?.total);
  /** Replaces the conditions. */
  const search = (asked: Record<string, string | undefined>): void =>
    replace(
      Object.entries(asked).flatMap(([name, value]): Pair[] => (value ? [[name, value]] : [])),
      FIRST,
    );
  return {
    page,
    perPage,
    sort,
    pairs,
    filters,
    search,
    refine: (values: Record<string, string | undefined>) => refine(values, FIRST),
    drop: (gone: Pair[]) => drop(gone, FIRST),
    found,
    total,
  };
}
