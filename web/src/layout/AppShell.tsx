import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import type { User } from '@/api/types';
import { cartCount } from '@/cart/cart';
import { Wordmark } from '@/components/Brand';
import { ButtonLink } from '@/components/Button';
import { Icon, type IconName } from '@/components/Icon';
import { useAuth } from '@/context/AuthContext';
import { useCart } from '@/context/CartContext';
import { useI18n } from '@/i18n/I18nContext';
import { useOnline } from '@/utils/useOnline';
import { AccountMenu } from './AccountMenu';
import { Footer } from './Footer';
import { PlacePicker } from './PlacePicker';

interface Entry {
  to: string;
  icon: IconName;
  label: string;
  active: boolean;
}

/** Pages that fill the window, and the header with them. */
const WIDE = /^\/(track|rider|operations)/;

/** Header, page, footer; on a phone the main ways through the app sit in a bar under the thumb. */
export function AppShell() {
  const { t } = useI18n();
  const { user } = useAuth();
  const entries = useEntries();
  const eats = !user || user.role === 'customer';
  const { pathname } = useLocation();
  return (
    <div className="flex min-h-dvh flex-col pb-[calc(4rem+env(safe-area-inset-bottom))] sm:pb-0">
      <a
        href="#main"
        className="sr-only z-50 rounded-full bg-ink px-5 py-3 font-semibold text-canvas focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        {t('nav.skip')}
      </a>
      <header className="sticky top-0 z-40 border-b border-line bg-canvas/95 backdrop-blur supports-[backdrop-filter]:bg-canvas/85">
        <div
          className={`mx-auto flex h-16 items-center gap-3 px-4 sm:gap-6 sm:px-6 ${WIDE.test(pathname) ? 'max-w-[1400px]' : 'max-w-6xl'}`}
        >
          <Link to={homeOf(user)} className="shrink-0 rounded-lg" aria-label={t('nav.home')}>
            <Wordmark />
          </Link>
          {eats && <PlacePicker />}
          <nav aria-label={t('nav.main')} className="ml-auto hidden items-center gap-1 sm:flex">
            {/* The home page has these two as its tabs. */}
            {(pathname === '/' ? entries.filter((entry) => entry.icon === 'pulse') : entries).map((entry) => (
              <Link
                key={entry.to}
                to={entry.to}
                aria-current={entry.active ? 'page' : undefined}
                className="rounded-full px-4 py-2 text-[15px] font-semibold text-soft transition-colors hover:bg-sunken hover:text-ink aria-[current]:bg-sunken aria-[current]:text-ink"
              >
                {entry.label}
              </Link>
            ))}
            {eats && <CartLink />}
          </nav>
          <div className="ml-auto sm:ml-0">
            {user ? (
              <AccountMenu user={user} />
            ) : (
              <ButtonLink to="/sign-in" size="small">
                {t('nav.signIn')}
              </ButtonLink>
            )}
          </div>
        </div>
        <OfflineBar />
      </header>
      <FocusOnNavigation />
      <main id="main" tabIndex={-1} className="flex-1 outline-none">
        <Outlet />
      </main>
      <Footer />
      <PhoneBar entries={entries} cart={eats} />
    </div>
  );
}

export function homeOf(user: User | null): string {
  switch (user?.role) {
    case 'delivery_partner':
      return '/rider';
    case 'restaurant_owner':
      return '/kitchen';
    case 'admin':
      return '/operations';
    default:
      return '/';
  }
}

function useEntries(): Entry[] {
  const { t } = useI18n();
  const { user } = useAuth();
  const { pathname, search } = useLocation();
  const inOrders = pathname === '/' && new URLSearchParams(search).get('tab') === 'orders';
  const home: Entry = { to: '/', icon: 'store', label: t('nav.restaurants'), active: pathname === '/' && !inOrders };
  const orders: Entry = { to: '/?tab=orders', icon: 'receipt', label: t('nav.orders'), active: inOrders };
  const own = (to: string, icon: IconName, label: string): Entry => ({
    to,
    icon,
    label,
    active: pathname.startsWith(to),
  });
  switch (user?.role) {
    case 'delivery_partner':
      return [own('/rider', 'scooter', t('nav.rider'))];
    case 'restaurant_owner':
      return [own('/kitchen', 'pot', t('nav.kitchen'))];
    case 'admin':
      return [own('/operations', 'pulse', t('nav.operations')), home];
    default:
      return [home, orders];
  }
}

function CartLink() {
  const { t } = useI18n();
  const { cart } = useCart();
  const count = cartCount(cart);
  if (!cart.restaurant) return null;
  return (
    <ButtonLink to="/checkout" size="small" icon="bag" look="primary" className="ml-1">
      <span className="sr-only">{t('nav.cart')}:</span>
      {t('cart.items', { count })}
    </ButtonLink>
  );
}

function PhoneBar({ entries, cart }: { entries: Entry[]; cart: boolean }) {
  const { t } = useI18n();
  const { cart: basket } = useCart();
  const count = cartCount(basket);
  return (
    <nav
      aria-label={t('nav.main')}
      className="fixed inset-x-0 bottom-0 z-40 flex border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] sm:hidden"
    >
      {entries.map((entry) => (
        <PhoneTab key={entry.to} {...entry} />
      ))}
      {cart && (
        <PhoneTab to="/checkout" icon="bag" label={t('nav.cart')} active={false} badge={count > 0 ? count : null} />
      )}
    </nav>
  );
}

function PhoneTab({ to, icon, label, active, badge = null }: Entry & { badge?: number | null }): ReactNode {
  const { pathname } = useLocation();
  const current = active || (to === '/checkout' && pathname === to);
  return (
    <NavLink
      to={to}
      aria-current={current ? 'page' : undefined}
      className={`relative flex h-16 flex-1 flex-col items-center justify-center gap-1 text-xs font-semibold ${current ? 'text-brand' : 'text-soft'}`}
    >
      <span className="relative">
        <Icon name={icon} className="size-6" />
        {badge !== null && (
          <span className="absolute -top-1.5 -right-2.5 grid h-[18px] min-w-[18px] place-items-center rounded-full bg-brand px-1 text-[11px] font-bold text-on-brand">
            {badge}
          </span>
        )}
      </span>
      {label}
    </NavLink>
  );
}

function OfflineBar() {
  const { t } = useI18n();
  const online = useOnline();
  return (
    <div role="status">
      {!online && (
        <p className="bg-turmeric px-4 py-1.5 text-center text-sm font-semibold text-on-turmeric">{t('nav.offline')}</p>
      )}
    </div>
  );
}

// A new page must start at its top, for eyes and for screen readers alike.
function FocusOnNavigation() {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    window.scrollTo(0, 0);
    document.getElementById('main')?.focus({ preventScroll: true });
    setSaid(document.title);
  }, [pathname]);
  return (
    <span className="sr-only" aria-live="polite">
      {said}
    </span>
  );
}
