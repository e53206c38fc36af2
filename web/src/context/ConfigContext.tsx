import { useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, use } from 'react';
import { anonymousClient } from '@/utils/apiClient';

/** What an operator may switch on without a new build; the edge answers it at /app-config.json. */
export interface AppConfig {
  /** `https://tiles.example/{z}/{x}/{y}.png` (MAP_TILES_URL), or null: the built-in outlines. */
  mapTilesUrl: string | null;
}

const DEFAULT: AppConfig = { mapTilesUrl: null };
const ConfigContext = createContext<AppConfig>(DEFAULT);

export function ConfigProvider({ children }: { children: ReactNode }) {
  const { data } = useQuery({
    queryKey: ['app-config'],
    queryFn: async (): Promise<AppConfig> => {
      const { data } = await anonymousClient.get<Partial<AppConfig>>('/app-config.json');
      return { mapTilesUrl: data.mapTilesUrl || null };
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return <ConfigContext value={data ?? DEFAULT}>{children}</ConfigContext>;
}

export function useConfig(): AppConfig {
  return use(ConfigContext);
}
