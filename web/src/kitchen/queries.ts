import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get } from '@/api/queries';
import type { MenuItem, Restaurant, User } from '@/api/types';
import { apiClient } from '@/utils/apiClient';

const PAGE = 100;
/** The list cannot be asked for one owner's, so it is read through; this many pages are far more than a demo has. */
const MAX_PAGES = 10;

export function useMyRestaurants(user: User) {
  return useQuery({
    queryKey: ['my-restaurants', user.id],
    queryFn: async ({ signal }) => {
      const mine: Restaurant[] = [];
      let cursor: string | undefined;
      for (let i = 0; i < MAX_PAGES; i++) {
        const params = cursor ? { limit: PAGE, cursor } : { limit: PAGE };
        const page = await get<{ restaurants: Restaurant[]; nextCursor?: string }>('/restaurants', params, signal);
        mine.push(...page.restaurants.filter((restaurant) => restaurant.ownerUserId === user.id));
        cursor = page.nextCursor;
        if (!cursor) break;
      }
      return mine.sort((a, b) => a.name.localeCompare(b.name));
    },
    staleTime: 60_000,
  });
}

export type RestaurantFields = Pick<
  Restaurant,
  'name' | 'city' | 'address' | 'latitude' | 'longitude' | 'phoneNumber' | 'email'
> & { cuisine?: string };

export function useSaveRestaurant(userId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({
      id,
      fields,
    }: {
      id: string | null;
      fields: Partial<RestaurantFields> & { isActive?: boolean };
    }) =>
      id
        ? (await apiClient.patch<Restaurant>(`/restaurants/${id}`, fields)).data
        : (await apiClient.post<Restaurant>('/restaurants', fields)).data,
    onSuccess: (saved) => {
      queries.setQueryData<Restaurant[]>(['my-restaurants', userId], (all = []) =>
        all.some((one) => one.id === saved.id)
          ? all.map((one) => (one.id === saved.id ? saved : one))
          : [...all, saved],
      );
      queries.setQueryData(['restaurant', saved.id], saved);
    },
  });
}

export interface DishFields {
  name: string;
  description: string;
  price: number;
  category: string;
  isAvailable: boolean;
}

export function useSaveDish(restaurantId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, fields }: { id: string | null; fields: Partial<DishFields> }) =>
      id
        ? (await apiClient.patch<MenuItem>(`/restaurants/${restaurantId}/menu/${id}`, fields)).data
        : (await apiClient.post<MenuItem>(`/restaurants/${restaurantId}/menu`, fields)).data,
    onSettled: () => queries.invalidateQueries({ queryKey: ['menu', restaurantId] }),
  });
}

export function useDeleteDish(restaurantId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => {
      await apiClient.delete(`/restaurants/${restaurantId}/menu/${id}`);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['menu', restaurantId] }),
  });
}
