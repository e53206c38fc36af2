import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get } from '@/api/queries';
import type { MenuItem, Restaurant, User } from '@/api/types';
import { apiClient } from '@/utils/apiClient';

/** Nobody keeps more restaurants than one page holds; whoever does finds the rest by name on the home page. */
const MOST = 100;

export function useMyRestaurants(user: User) {
  return useQuery({
    queryKey: ['my-restaurants', user.id],
    queryFn: ({ signal }) =>
      get<{ restaurants: Restaurant[] }>('/restaurants', { ownerUserId: user.id, limit: MOST }, signal),
    select: (data) => data.restaurants,
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
      queries.setQueryData<{ restaurants: Restaurant[] }>(['my-restaurants', userId], (list) => {
        const others = (list?.restaurants ?? []).filter((one) => one.id !== saved.id);
        return { restaurants: [...others, saved].sort((a, b) => a.name.localeCompare(b.name)) };
      });
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
