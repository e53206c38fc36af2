import { useEffect, useMemo, useState } from 'react';
import { useParams } from 'react-router';
import { useMenu, useRestaurant } from '@/api/queries';
import type { MenuItem, Restaurant } from '@/api/types';
import { Button, ButtonLink } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { DishArt } from '@/components/DishArt';
import { Icon } from '@/components/Icon';
import { Badge, Card, EmptyState, LoadError, Rating, Skeleton } from '@/components/Parts';
import { useErrorText } from '@/components/useErrorText';
import { useAuth } from '@/context/AuthContext';
import { useCart } from '@/context/CartContext';
import { useI18n } from '@/i18n/I18nContext';
import { formatCents, toCents } from '@/utils/money';
import { useTitle } from '@/utils/useTitle';
import { CartPanel } from './restaurant/CartPanel';
import { MenuSection } from './restaurant/MenuSection';

export default function RestaurantPage() {
  const { id } = useParams();
  const { t } = useI18n();
  const words = useErrorText();
  const restaurant = useRestaurant(id);
  const menu = useMenu(id);
  useTitle(restaurant.data?.name ?? '');

  if (restaurant.isError)
    return <LoadError page message={words(restaurant.error)} onRetry={() => void restaurant.refetch()} />;
  if (!restaurant.data) return <Loading />;
  return (
    <div className="mx-auto max-w-6xl px-4 sm:px-6">
      <Head restaurant={restaurant.data} />
      <div className="mt-8 grid gap-10 lg:grid-cols-[1fr_340px]">
        <div>
          {menu.isPending && <Skeleton className="h-96" />}
          {menu.isError && <LoadError message={words(menu.error)} onRetry={() => void menu.refetch()} />}
          {menu.data?.length === 0 && <EmptyState icon="pot" title={t('menu.empty')} />}
          {menu.data && menu.data.length > 0 && <Menu restaurant={restaurant.data} items={menu.data} />}
        </div>
        <aside aria-label={t('nav.cart')} className="hidden lg:block">
          <div className="sticky top-24">
            <CartPanel />
          </div>
        </aside>
      </div>
      <PhoneCart />
    </div>
  );
}

function Head({ restaurant }: { restaurant: Restaurant }) {
  const { t } = useI18n();
  return (
    <header className="mt-5">
      <DishArt cuisine={restaurant.cuisine} name={restaurant.name} className="h-40 rounded-3xl sm:h-52" />
      <div className="mt-5 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="text-3xl font-extrabold sm:text-4xl">{restaurant.name}</h1>
        <Rating value={restaurant.rating} />
        {!restaurant.isActive && <Badge tone="danger">{t('restaurant.closed')}</Badge>}
      </div>
      <p className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-soft">
        {restaurant.cuisine && <span>{restaurant.cuisine}</span>}
        <span className="inline-flex items-center gap-1.5">
          <Icon name="pin" className="size-4" />
          {restaurant.address}, {restaurant.city}
        </span>
        <a
          href={`tel:${restaurant.phoneNumber}`}
          className="inline-flex items-center gap-1.5 hover:text-ink hover:underline"
        >
          <Icon name="phone" className="size-4" />
          {restaurant.phoneNumber}
        </a>
      </p>
    </header>
  );
}

function Menu({ restaurant, items }: { restaurant: Restaurant; items: MenuItem[] }) {
  const { t } = useI18n();
  const { user } = useAuth();
  const { cart, dispatch } = useCart();
  const [asked, setAsked] = useState<MenuItem | null>(null);
  const sections = useMemo(() => byCategory(items), [items]);
  const orders = (!user || user.role === 'customer') && restaurant.isActive;

  // A saved basket may be days old: what it shows must be what the menu says now.
  useEffect(() => {
    if (cart.restaurant?.id !== restaurant.id) return;
    dispatch({ type: 'reprice', items: items.map((item) => ({ ...item, price: toCents(item.price) })) });
  }, [cart.restaurant?.id, restaurant.id, items, dispatch]);

  const add = (item: MenuItem) => {
    const { id, name, city, latitude, longitude } = restaurant;
    dispatch({
      type: 'add',
      restaurant: { id, name, city, latitude, longitude },
      item: { menuItemId: item.id, name: item.name, unitPrice: toCents(item.price) },
    });
    setAsked(null);
  };
  const elsewhere = cart.restaurant !== null && cart.restaurant.id !== restaurant.id;
  return (
    <>
      {sections.length > 2 && (
        <nav
          aria-label={t('menu.sections')}
          className="sticky top-16 z-20 -mx-4 mb-4 flex gap-1 overflow-x-auto bg-canvas px-4 py-2 [scrollbar-width:none] sm:mx-0 sm:px-0"
        >
          {sections.map(([category], i) => (
            <a
              key={category}
              href={`#menu-${i}`}
              className="shrink-0 rounded-full px-4 py-2 text-sm font-semibold text-soft hover:bg-sunken hover:text-ink"
            >
              {category || t('menu.other')}
            </a>
          ))}
        </nav>
      )}
      {sections.map(([category, dishes], i) => (
        <MenuSection
          key={category}
          anchor={`menu-${i}`}
          title={category || t('menu.other')}
          items={dishes}
          onAdd={orders ? (item) => (elsewhere ? setAsked(item) : add(item)) : null}
        />
      ))}
      <Dialog title={t('cart.switchTitle')} open={asked !== null} onClose={() => setAsked(null)}>
        <p className="text-soft">{t('cart.switchText', { old: cart.restaurant?.name ?? '', next: restaurant.name })}</p>
        <div className="mt-6 flex flex-wrap justify-end gap-3">
          <Button look="secondary" onClick={() => setAsked(null)}>
            {t('common.cancel')}
          </Button>
          <Button onClick={() => asked && add(asked)}>{t('cart.switch')}</Button>
        </div>
      </Dialog>
    </>
  );
}

function byCategory(items: MenuItem[]): [string, MenuItem[]][] {
  const sections = new Map<string, MenuItem[]>();
  for (const item of items) sections.set(item.category, [...(sections.get(item.category) ?? []), item]);
  return [...sections];
}

function PhoneCart() {
  const { t, language } = useI18n();
  const { cart } = useCart();
  if (!cart.restaurant) return null;
  const total = cart.lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0);
  return (
    <div className="sticky bottom-[calc(4.75rem+env(safe-area-inset-bottom))] z-20 mt-6 sm:bottom-4 lg:hidden">
      <ButtonLink to="/checkout" size="large" icon="bag" className="w-full justify-between! shadow-lift">
        <span className="mr-auto">{t('cart.view')}</span>
        <span>{formatCents(total, language)}</span>
      </ButtonLink>
    </div>
  );
}

function Loading() {
  return (
    <div className="mx-auto max-w-6xl space-y-5 px-4 pt-5 sm:px-6">
      <Skeleton className="h-52 rounded-3xl" />
      <Skeleton className="h-10 w-72" />
      <Card className="h-96 animate-pulse">{null}</Card>
    </div>
  );
}
