/** A list whose conditions live in the address, so that it can be sent to a colleague. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query';
import { computed, reactive, ref, watch, type ComputedRef } from 'vue';
import { call, type Query } from '../api';
import type { Page } from '../domain/types';
import { grouped, useAddress, type Pair } from './address';
import { BEGINNING, backward, forward, numberOf, type Place } from './pages';

/** `page` is that of addresses from before pages began at cursors; `tab` says which of a page's lists it is. */
const OWN = ['after', 'page', 'per_page', 'sort', 'tab'];
/** A change of conditions begins at the first page. */
const FIRST: Query = { after: undefined };

/** `sort`: in which order, where that is a choice. */
export function useList<T>(path: ComputedRef<string>, options: { sort?: string; count: boolean; map?: (filters: Query) => Query }) {
  const { text, change, pairs, filters, replace, refine, drop } = useAddress(OWN);
  const after = computed(() => text('after'));
  /** Where the pages before begin, as far as this visit has seen them. */
  const before = ref<Place['before']>([]);
  const perPage = computed({
    get: () => Number(text('per_page') ?? 20),
    set: (value) => change({ per_page: value === 20 ? undefined : value, ...FIRST }),
  });
  const sort = computed({ get: () => text('sort') ?? options.sort, set: (value) => change({ sort: value, ...FIRST }) });
  const conditions = computed<Query>(() => (options.map ? options.map(filters.value) : grouped(pairs.value)));
  const query = computed<Query>(() => ({ ...conditions.value, after: after.value, per_page: perPage.value, sort: sort.value }));
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
  watch(after, (cursor) => {
    if (cursor === undefined) before.value = [];
  });
  const turn = (place: Place): void => {
    before.value = place.before;
    change({ after: place.after });
  };
  const place = computed<Place>(() => ({ before: before.value, after: after.value }));
  const next = computed(() => (found.isPlaceholderData.value ? undefined : (found.data.value?.next ?? undefined)));
  const pages = reactive({
    number: computed(() => numberOf(place.value)),
    /** Unknown until the page has come. */
    shown: computed(() => (found.isError.value ? undefined : found.data.value?.items.length)),
    atFirst: computed(() => after.value === undefined),
    hasNext: computed(() => next.value !== undefined),
    first: () => turn(BEGINNING),
    previous: () => turn(backward(place.value)),
    next: () => next.value && turn(forward(place.value, next.value)),
  });
  /** Replaces the conditions. */
  const search = (asked: Record<string, string | undefined>): void =>
    replace(
      Object.entries(asked).flatMap(([name, value]): Pair[] => (value ? [[name, value]] : [])),
      FIRST,
    );
  return {
    pages,
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

/** How a list is paged through. */
export type Pages = ReturnType<typeof useList>['pages'];
