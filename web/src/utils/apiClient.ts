import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { toApiError } from '@/api/errors';
import type { SessionAnswer } from '@/api/types';
import { SessionKeeper } from '@/session/keeper';
import { createExclusive } from '@/session/lock';
import { createSessionStore } from '@/session/store';
import { Pace } from './pace';

const baseURL = import.meta.env.VITE_API_URL ?? '';
const TIMEOUT_MS = 15_000;

/** A little under the edge's limit of 10 a second; /orders and /auth have budgets of their own there. */
const general = new Pace(8, 8);

function paced(path: string): number {
  return /^\/(orders|auth)\b/.test(path) ? 0 : general.take();
}

export const sessionStore = createSessionStore(localStorage, window);

/** Without a session: signing in must not send an old token, and refreshing through one would wait for itself. */
export const anonymousClient: AxiosInstance = axios.create({ baseURL, timeout: TIMEOUT_MS });
anonymousClient.interceptors.response.use(undefined, (error: unknown) => Promise.reject(toApiError(error)));

export const sessionKeeper = new SessionKeeper({
  store: sessionStore,
  exclusive: createExclusive(navigator.locks, localStorage),
  refresh: async (refreshToken) => (await anonymousClient.post<SessionAnswer>('/auth/refresh', { refreshToken })).data,
});

/** Every request of the app. Adds the access token, renews it once on 401, and throws ApiError only. */
export const apiClient: AxiosInstance = withSession(axios.create({ baseURL, timeout: TIMEOUT_MS }), sessionKeeper);

interface Attempt extends InternalAxiosRequestConfig {
  tiffinToken?: string | null;
  tiffinRetried?: boolean;
}

export function withSession(client: AxiosInstance, keeper: Pick<SessionKeeper, 'token' | 'replace'>): AxiosInstance {
  client.interceptors.request.use(async (config: Attempt) => {
    const wait = paced(config.url ?? '');
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (!config.tiffinRetried) config.tiffinToken = await keeper.token();
    if (config.tiffinToken) config.headers.set('Authorization', `Bearer ${config.tiffinToken}`);
    return config;
  });
  client.interceptors.response.use(undefined, async (error: unknown) => {
    const config = axios.isAxiosError(error) ? (error.config as Attempt | undefined) : undefined;
    const refused = axios.isAxiosError(error) && error.response?.status === 401 && config?.tiffinToken;
    if (!config || !refused || config.tiffinRetried) throw toApiError(error);
    const token = await keeper.replace(refused).catch((cause: unknown) => {
      throw toApiError(cause);
    });
    if (!token) throw toApiError(error);
    return client.request({ ...config, tiffinToken: token, tiffinRetried: true } as Attempt);
  });
  return client;
}
