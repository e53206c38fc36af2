import { useQuery } from '@tanstack/react-query';
import { get } from '@/api/queries';
import type { Offer, Overview, Rider } from '@/api/types';

/** The fleet as it is now is asked for: the socket tells about single orders only. */
const POLL_MS = 3_000;
const RIDERS_POLL_MS = 5_000;

export function useOverview() {
  return useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => get<Overview>('/admin/overview', undefined, signal),
    refetchInterval: POLL_MS,
  });
}

/** More markers than this make a map of a continent no clearer. */
const MAX_PAGES = 5;

/** The riders at work, with their last known positions. */
export function useRiders() {
  return useQuery({
    queryKey: ['riders'],
    queryFn: async ({ signal }) => {
      const all: Rider[] = [];
      let cursor: string | undefined;
      for (let i = 0; i < MAX_PAGES; i++) {
        const params = cursor ? { limit: 100, cursor } : { limit: 100 };
        const page = await get<{ riders: Rider[]; nextCursor?: string }>('/admin/riders', params, signal);
        all.push(...page.riders);
        cursor = page.nextCursor;
        if (!cursor) break;
      }
      return all;
    },
    refetchInterval: RIDERS_POLL_MS,
  });
}

/** Whom an order was offered to, oldest first. */
export function useOffers(orderId: string) {
  return useQuery({
    queryKey: ['order', orderId, 'offers'],
    queryFn: ({ signal }) => get<{ offers: Offer[] }>(`/admin/orders/${orderId}/offers`, undefined, signal),
    select: (data) => data.offers,
  });
}
