import axios, { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { expect, test } from 'vitest';
import { ApiError } from '@/api/errors';
import { withSession } from '@/utils/apiClient';

type Reply = { status: number; data?: unknown; headers?: Record<string, string> };

/** A client whose server is a function; records the Authorization of each request. */
function client(
  server: (token: string | undefined, call: number) => Reply,
  tokens: { first: string | null; next: string | null },
) {
  const seen: (string | undefined)[] = [];
  const instance = axios.create({
    adapter: async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
      const token = config.headers.get('Authorization')?.toString().replace('Bearer ', '');
      seen.push(token);
      const { status, data = {}, headers = {} } = server(token, seen.length);
      const response: AxiosResponse = { status, data, headers, statusText: '', config };
      if (status < 400) return response;
      throw new AxiosError('refused', undefined, config, null, response);
    },
  });
  const replaced: string[] = [];
  withSession(instance, {
    token: async () => tokens.first,
    replace: async (refused) => {
      replaced.push(refused);
      return tokens.next;
    },
  });
  return { instance, seen, replaced };
}

const refused: Reply = { status: 401, data: { title: 'sign in', status: 401 } };

test('a refused token is replaced once and the request repeated', async () => {
  const { instance, seen, replaced } = client((token) => (token === 'new' ? { status: 200, data: 'yes' } : refused), {
    first: 'old',
    next: 'new',
  });
  expect((await instance.get('/orders')).data).toBe('yes');
  expect(seen).toEqual(['old', 'new']);
  expect(replaced).toEqual(['old']);
});

test('a new token that is refused too is the end of it', async () => {
  const { instance, seen } = client(() => refused, { first: 'old', next: 'new' });
  await expect(instance.get('/orders')).rejects.toMatchObject({ kind: 'unauthenticated' });
  expect(seen).toEqual(['old', 'new']);
});

test('nobody signed in: no token, no refresh', async () => {
  const { instance, seen, replaced } = client(() => refused, { first: null, next: null });
  await expect(instance.get('/orders')).rejects.toBeInstanceOf(ApiError);
  expect(seen).toEqual([undefined]);
  expect(replaced).toEqual([]);
});

test('a session that cannot be renewed gives the first refusal', async () => {
  const { instance } = client(() => refused, { first: 'old', next: null });
  await expect(instance.get('/orders')).rejects.toMatchObject({ kind: 'unauthenticated', status: 401 });
});

test('problem details become fields, the moves allowed and the id to quote', async () => {
  const data = {
    title: 'Invalid',
    status: 422,
    instance: 'req-7',
    errors: [
      { field: 'items[0].quantity', message: 'must be at least 1' },
      { field: 'items[0].quantity', message: 'second word' },
    ],
  };
  const { instance } = client(() => ({ status: 422, data }), { first: null, next: null });
  const error = await instance.post('/orders', {}).catch((caught: unknown) => caught as ApiError);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ kind: 'invalid', requestId: 'req-7' });
  expect((error as ApiError).fields.get('items[0].quantity')).toBe('must be at least 1');
});

test.each([
  [400, 'invalid'],
  [403, 'forbidden'],
  [404, 'notFound'],
  [409, 'conflict'],
  [429, 'limited'],
  [500, 'unexpected'],
  [503, 'unavailable'],
] as const)('status %d is %s', async (status, kind) => {
  const { instance } = client(() => ({ status, headers: { 'retry-after': '3' } }), { first: null, next: null });
  await expect(instance.get('/orders')).rejects.toMatchObject({ kind, retryAfter: 3 });
});

test('no answer at all is being offline', async () => {
  const instance = withSession(
    axios.create({ adapter: (config) => Promise.reject(new AxiosError('Network Error', 'ERR_NETWORK', config)) }),
    { token: async () => null, replace: async () => null },
  );
  await expect(instance.get('/orders')).rejects.toMatchObject({ kind: 'offline' });
});
