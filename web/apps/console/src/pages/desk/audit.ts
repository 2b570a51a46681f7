/** The audit trail page by page, newest first; it has a cursor and no page numbers. */
import { useInfiniteQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import { call } from '../../api';
import type { AuditEntry, Page } from '../../domain/types';

/** Days as the interface wants them: moments of Beijing. */
export function asked(filters: Record<string, string>): Record<string, string> {
  const { 'at.from': from, 'at.to': to, ...rest } = filters;
  if (from) rest['at.from'] = `${from}T00:00:00+08:00`;
  if (to) rest['at.to'] = `${to}T23:59:59.999+08:00`;
  return rest;
}

export function useAudit() {
  const [route, router] = [useRoute(), useRouter()];
  const filters = computed(() => Object.fromEntries(Object.entries(route.query).map(([name, value]) => [name, String(value ?? '')])));
  const found = useInfiniteQuery({
    queryKey: computed(() => ['audit', filters.value]),
    queryFn: ({ pageParam }) =>
      call<Page<AuditEntry>>('GET', '/api/v1/audit', { query: { ...asked(filters.value), after: pageParam, per_page: 50 } }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  });
  const search = (conditions: Record<string, string | undefined>): void => {
    void router.replace({ query: Object.fromEntries(Object.entries(conditions).filter(([, value]) => value)) });
  };
  return { filters, search, found, more: computed(() => Boolean(found.hasNextPage.value)) };
}
