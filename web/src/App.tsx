import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { BrowserRouter, Route, Routes } from 'react-router';
import { ApiError } from './api/errors';
import { ErrorBoundary } from './components/ErrorBoundary';
import { ToastProvider } from './components/Toasts';
import { AuthProvider } from './context/AuthContext';
import { CartProvider } from './context/CartContext';
import { ConfigProvider } from './context/ConfigContext';
import { PlaceProvider } from './context/PlaceContext';
import { I18nProvider } from './i18n/I18nContext';
import { AppShell } from './layout/AppShell';
import { RequireRole } from './layout/RequireRole';
import { HomePage } from './pages/HomePage';
import { NotFoundPage } from './pages/NotFoundPage';

// The first page is in the first load; the others come when somebody goes there.
const LoginPage = lazy(() => import('./pages/LoginPage'));
const RegisterPage = lazy(() => import('./pages/RegisterPage'));
const RestaurantPage = lazy(() => import('./pages/RestaurantPage'));
const CheckoutPage = lazy(() => import('./pages/CheckoutPage'));
const TrackingPage = lazy(() => import('./pages/TrackingPage'));
const RiderPage = lazy(() => import('./pages/RiderPage'));
const KitchenPage = lazy(() => import('./pages/KitchenPage'));
const OperationsPage = lazy(() => import('./pages/OperationsPage'));

/** Again for what may pass (a restart, a network), never for what the server has judged. */
function shouldRetry(failures: number, error: unknown): boolean {
  const kind = error instanceof ApiError ? error.kind : 'unexpected';
  return failures < 3 && (kind === 'offline' || kind === 'unavailable' || kind === 'limited');
}

function retryDelay(failures: number, error: unknown): number {
  const asked = error instanceof ApiError && error.retryAfter !== null ? error.retryAfter * 1000 : 0;
  return Math.max(asked, Math.min(8_000, 500 * 2 ** failures)) * (0.75 + Math.random() / 2);
}

function makeQueryClient(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { retry: shouldRetry, retryDelay, staleTime: 5_000 } } });
}

export function App() {
  const [queries] = useState(makeQueryClient);
  return (
    <QueryClientProvider client={queries}>
      <I18nProvider>
        <ErrorBoundary>
          <ConfigProvider>
            <AuthProvider>
              <PlaceProvider>
                <CartProvider>
                  <ToastProvider>
                    <BrowserRouter>
                      <Pages />
                    </BrowserRouter>
                  </ToastProvider>
                </CartProvider>
              </PlaceProvider>
            </AuthProvider>
          </ConfigProvider>
        </ErrorBoundary>
      </I18nProvider>
    </QueryClientProvider>
  );
}

// No path here may be one the API answers (/orders, /restaurants, /tracking …): the edge tells them apart by path.
function Pages() {
  return (
    <Suspense fallback={<div className="min-h-dvh" />}>
      <Routes>
        <Route element={<AppShell />}>
          <Route index element={<HomePage />} />
          <Route path="sign-in" element={<LoginPage />} />
          <Route path="register" element={<RegisterPage />} />
          <Route path="r/:id" element={<RestaurantPage />} />
          <Route path="track/:id" element={<TrackingPage />} />
          <Route element={<RequireRole only="customer" />}>
            <Route path="checkout" element={<CheckoutPage />} />
          </Route>
          <Route element={<RequireRole only="delivery_partner" />}>
            <Route path="rider" element={<RiderPage />} />
          </Route>
          <Route element={<RequireRole only="restaurant_owner" />}>
            <Route path="kitchen" element={<KitchenPage />} />
          </Route>
          <Route element={<RequireRole only="admin" />}>
            <Route path="operations" element={<OperationsPage />} />
          </Route>
          <Route path="*" element={<NotFoundPage />} />
        </Route>
      </Routes>
    </Suspense>
  );
}
