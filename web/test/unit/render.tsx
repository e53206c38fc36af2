import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import type { ReactNode } from 'react';
import { MemoryRouter } from 'react-router';
import { ToastProvider } from '@/components/Toasts';
import { AuthProvider } from '@/context/AuthContext';
import { CartProvider } from '@/context/CartContext';
import { PlaceProvider } from '@/context/PlaceContext';
import { I18nProvider } from '@/i18n/I18nContext';
import { anonymousClient, apiClient } from '@/utils/apiClient';

/** A page with everything around it that the app gives it. */
export function show(page: ReactNode, path = '/') {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={queries}>
      <I18nProvider>
        <AuthProvider>
          <PlaceProvider>
            <CartProvider>
              <ToastProvider>
                <MemoryRouter initialEntries={[path]}>{page}</MemoryRouter>
              </ToastProvider>
            </CartProvider>
          </PlaceProvider>
        </AuthProvider>
      </I18nProvider>
    </QueryClientProvider>,
  );
}

export interface Call {
  method: string;
  path: string;
  body: unknown;
}

/** Answers every request of the page: `[status, data]`. Returns what was asked. */
export function serve(answer: (call: Call) => [number, unknown]): Call[] {
  const calls: Call[] = [];
  const adapter = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    const call = {
      method: (config.method ?? 'get').toUpperCase(),
      path: config.url ?? '',
      body: config.data ? JSON.parse(config.data as string) : config.params,
    };
    calls.push(call);
    const [status, data] = answer(call);
    const response: AxiosResponse = { status, data, headers: {}, statusText: '', config };
    if (status < 400) return response;
    throw new AxiosError('refused', undefined, config, null, response);
  };
  anonymousClient.defaults.adapter = adapter;
  apiClient.defaults.adapter = adapter;
  return calls;
}
