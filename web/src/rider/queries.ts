import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get } from '@/api/queries';
import type { Assignment, Partner } from '@/api/types';
import { apiClient } from '@/utils/apiClient';

/** An offer lives half a minute, so it must be seen within a few seconds, also with the tab in the back. */
const POLL_MS = 3_000;
/** With an order in hand nothing new is offered, and what happens to that order comes over the socket. */
const CARRYING_POLL_MS = 15_000;

export function usePartner() {
  return useQuery({
    queryKey: ['assignments', 'partner'],
    queryFn: ({ signal }) => get<Partner>('/delivery/me', undefined, signal),
  });
}

export function useAssignment(watching: boolean) {
  return useQuery({
    queryKey: ['assignments', 'current'],
    queryFn: ({ signal }) => get<{ assignments: Assignment[] }>('/delivery/assignments', undefined, signal),
    select: (data) => data.assignments[0] ?? null,
    refetchInterval: ({ state }) => {
      if (!watching) return false;
      const status = state.data?.assignments[0]?.status;
      return status === 'accepted' || status === 'picked_up' ? CARRYING_POLL_MS : POLL_MS;
    },
    refetchIntervalInBackground: true,
  });
}

export function usePastAssignments() {
  return useQuery({
    queryKey: ['assignments', 'past'],
    queryFn: ({ signal }) =>
      get<{ assignments: Assignment[] }>('/delivery/assignments', { history: true, limit: 50 }, signal),
    select: (data) => data.assignments,
  });
}

export function useAvailability() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, isAvailable }: { id: string; isAvailable: boolean }) =>
      (await apiClient.patch<Partner>(`/delivery/${id}/availability`, { isAvailable })).data,
    onSuccess: (partner) => {
      queries.setQueryData(['assignments', 'partner'], partner);
      return queries.invalidateQueries({ queryKey: ['assignments'] });
    },
  });
}

export function useAnswerOffer() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ orderId, answer }: { orderId: string; answer: 'accept' | 'decline' }) =>
      (await apiClient.post<Assignment>(`/delivery/${orderId}/${answer}`, {})).data,
    // Gone or not, the list says what is true now.
    onSettled: () => queries.invalidateQueries({ queryKey: ['assignments'] }),
  });
}
