import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { apiClient } from '@/utils/apiClient';
import type { City, MenuItem, NewOrder, Order, OrderStatus, Restaurant, TrackingSnapshot, Transition } from './types';

/** A page of a list; `nextCursor` while there is more. */
type Page<K extends string, T> = { [key in K]: T[] } & { nextCursor?: string };

export async function get<T>(path: string, params?: object, signal?: AbortSignal): Promise<T> {
  const { data } = await apiClient.get<T>(path, { params, ...(signal ? { signal } : {}) });
  return data;
}

export function useCities(text: string) {
  const q = text.trim();
  return useQuery({
    queryKey: ['cities', q.toLowerCase()],
    queryFn: ({ signal }) => get<{ cities: City[] }>('/cities', { q, limit: 8 }, signal),
    enabled: q.length >= 2,
    select: (data) => data.cities,
    placeholderData: keepPreviousData,
    staleTime: 3_600_000,
  });
}

export interface RestaurantFilter {
  city?: string;
  q?: string;
  cuisine?: string;
  latitude?: number;
  longitude?: number;
  radiusKm?: number;
}

export function useRestaurants(filter: RestaurantFilter) {
  return useInfiniteQuery({
    queryKey: ['restaurants', filter],
    queryFn: ({ pageParam, signal }) =>
      get<Page<'restaurants', Restaurant>>('/restaurants', { ...filter, ...pageOf(pageParam, 24) }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}

export function useRestaurant(id: string | undefined) {
  return useQuery({
    queryKey: ['restaurant', id],
    queryFn: ({ signal }) => get<Restaurant>(`/restaurants/${id}`, undefined, signal),
    enabled: Boolean(id),
    staleTime: 60_000,
  });
}

export function useMenu(id: string | undefined) {
  return useQuery({
    queryKey: ['menu', id],
    queryFn: ({ signal }) => get<{ items: MenuItem[] }>(`/restaurants/${id}/menu`, undefined, signal),
    enabled: Boolean(id),
    select: (data) => data.items,
    staleTime: 30_000,
  });
}

export interface OrderFilter {
  restaurantId?: string;
  status?: OrderStatus;
  city?: string;
}

export function useOrders(filter: OrderFilter = {}, options: { refetchInterval?: number; enabled?: boolean } = {}) {
  return useInfiniteQuery({
    queryKey: ['orders', filter],
    queryFn: ({ pageParam, signal }) =>
      get<Page<'orders', Order>>('/orders', { ...filter, ...pageOf(pageParam, 20) }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
    ...options,
  });
}

export function useOrder(id: string, refetchInterval: number | false = false) {
  return useQuery({
    queryKey: ['order', id],
    queryFn: ({ signal }) => get<Order>(`/orders/${id}`, undefined, signal),
    refetchInterval: (query) => (query.state.error ? false : refetchInterval),
  });
}

export function useHistory(id: string, enabled = true) {
  return useQuery({
    queryKey: ['order', id, 'history'],
    queryFn: ({ signal }) => get<{ history: Transition[] }>(`/orders/${id}/history`, undefined, signal),
    select: (data) => data.history,
    enabled,
  });
}

export function useTracking(id: string, refetchInterval: number | false = false) {
  return useQuery({
    queryKey: ['order', id, 'tracking'],
    queryFn: ({ signal }) => get<TrackingSnapshot>(`/tracking/${id}`, undefined, signal),
    refetchInterval: (query) => (query.state.error ? false : refetchInterval),
  });
}

export function usePlaceOrder() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ order, key }: { order: NewOrder; key: string }) => {
      const { data } = await apiClient.post<Order>('/orders', order, { headers: { 'Idempotency-Key': key } });
      return data;
    },
    onSuccess: (order) => {
      queries.setQueryData(['order', order.id], order);
      return queries.invalidateQueries({ queryKey: ['orders'] });
    },
  });
}

export function useSetStatus() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, status, reason }: { id: string; status: OrderStatus; reason?: string }) => {
      const body = reason ? { status, reason } : { status };
      return (await apiClient.patch<Order>(`/orders/${id}/status`, body)).data;
    },
    onSuccess: (order) => queries.setQueryData(['order', order.id], order),
    // After a refusal too: somebody else moved the order, and the page must show where it stands.
    onSettled: (_order, _error, { id }) =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ['orders'] }),
        queries.invalidateQueries({ queryKey: ['order', id] }),
        queries.invalidateQueries({ queryKey: ['assignments'] }),
      ]),
  });
}

function pageOf(cursor: string, limit: number): { limit: number; cursor?: string } {
  return cursor ? { limit, cursor } : { limit };
}
