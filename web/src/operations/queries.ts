import { useQuery } from '@tanstack/react-query';
import { get } from '@/api/queries';
import type { Overview } from '@/api/types';
import { anonymousClient } from '@/utils/apiClient';
import { readMetric } from './metrics';

const POLL_MS = 3_000;

export function useOverview() {
  return useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => get<Overview>('/admin/overview', undefined, signal),
    refetchInterval: POLL_MS,
  });
}

/** Clients connected to the edge this page came from; null where /metrics is not served to browsers. */
export function useSockets() {
  return useQuery({
    queryKey: ['sockets'],
    queryFn: async ({ signal }) => {
      const { data } = await anonymousClient.get<string>('/metrics', { responseType: 'text', signal });
      return readMetric(data, 'tiffin_realtime_sockets');
    },
    refetchInterval: 2 * POLL_MS,
    retry: false,
  });
}
