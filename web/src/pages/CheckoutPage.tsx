import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { useMenu, usePlaceOrder } from '@/api/queries';
import type { MenuItem } from '@/api/types';
import { type Cart, cartTotal } from '@/cart/cart';
import { Button, ButtonLink } from '@/components/Button';
import { TextField } from '@/components/Field';
import { FormError } from '@/components/FormError';
import { Card, EmptyState } from '@/components/Parts';
import { useToast } from '@/components/Toasts';
import { useForm } from '@/components/useForm';
import { useCart } from '@/context/CartContext';
import { usePlace } from '@/context/PlaceContext';
import { useI18n } from '@/i18n/I18nContext';
import { distanceMeters, type Point } from '@/tracking/motion';
import { formatCents, toCents } from '@/utils/money';
import { useLocate } from '@/utils/useLocate';
import { useTitle } from '@/utils/useTitle';
import { DropoffMap } from './checkout/DropoffMap';
import { CartLines } from './restaurant/CartPanel';

const ADDRESS_KEY = 'tiffin.address';
/** The server's default limit; it has the last word, this only picks a sensible first pin. */
const REACH_METERS = 25_000;

export default function CheckoutPage() {
  const { t } = useI18n();
  const { cart } = useCart();
  useTitle(t('checkout.title'));
  if (!cart.restaurant) {
    return (
      <EmptyState
        page
        icon="bag"
        title={t('cart.emptyTitle')}
        action={<ButtonLink to="/">{t('orders.find')}</ButtonLink>}
      >
        {t('cart.empty')}
      </EmptyState>
    );
  }
  return <Checkout restaurant={cart.restaurant} />;
}

function Checkout({ restaurant }: { restaurant: NonNullable<Cart['restaurant']> }) {
  const { t, language } = useI18n();
  const { cart, dispatch } = useCart();
  const { place } = usePlace();
  const toast = useToast();
  const navigate = useNavigate();
  const placeOrder = usePlaceOrder();
  const menu = useMenu(restaurant.id);
  const { locate, busy: locating, failed: locateFailed } = useLocate();
  const [address, setAddress] = useState(() => localStorage.getItem(ADDRESS_KEY) ?? '');
  const [pin, setPin] = useState<Point>(() => firstPin(place, restaurant));

  const { busy, error, at, form } = useForm<'deliveryAddress' | 'latitude' | 'longitude' | 'city' | 'items'>(
    async () => {
      const order = await placeOrder.mutateAsync({
        key: cart.key,
        order: {
          restaurantId: restaurant.id,
          items: cart.lines.map(({ menuItemId, quantity }) => ({ menuItemId, quantity })),
          deliveryAddress: address.trim(),
          city: restaurant.city,
          latitude: round(pin.latitude),
          longitude: round(pin.longitude),
        },
      });
      localStorage.setItem(ADDRESS_KEY, address.trim());
      void navigate(`/track/${order.id}`, { replace: true });
      dispatch({ type: 'clear' });
      toast({ tone: 'good', text: t('checkout.done') });
    },
    () => (address.trim() === '' ? { deliveryAddress: t('field.required') } : {}),
  );
  const spot = at('latitude') ?? at('longitude') ?? at('city');
  useMenuPrices(menu.data);
  // The basket's own fault (sold out, closed): load the menu again, so that the basket shows it.
  const { refetch } = menu;
  useEffect(() => {
    if (error?.kind === 'conflict') void refetch();
  }, [error, refetch]);

  return (
    <div className="mx-auto max-w-5xl px-4 pt-8 sm:px-6">
      <h1 className="text-3xl font-extrabold sm:text-4xl">{t('checkout.title')}</h1>
      <form {...form} className="mt-6 grid gap-6 lg:grid-cols-[1fr_360px]">
        <div className="space-y-6">
          <Card className="p-5 sm:p-6">
            <h2 className="mb-4 text-xl font-bold">{t('checkout.where')}</h2>
            <TextField
              label={t('checkout.address')}
              name="deliveryAddress"
              autoComplete="street-address"
              placeholder={t('checkout.addressHint')}
              value={address}
              onChange={(event) => setAddress(event.target.value)}
              error={at('deliveryAddress')}
            />
            <div className="mt-5 mb-2 flex flex-wrap items-center justify-between gap-2">
              <p className="text-sm font-semibold">{t('checkout.pin')}</p>
              <Button
                look="quiet"
                size="small"
                icon="target"
                busy={locating}
                onClick={async () => {
                  const here = await locate();
                  if (here) setPin(here);
                }}
              >
                {t('place.locate')}
              </Button>
            </div>
            <DropoffMap restaurant={restaurant} pin={pin} onPin={setPin} />
            <p role="alert" className="mt-2 text-sm font-medium text-danger">
              {spot ?? (locateFailed ? t('place.locateFailed') : '')}
            </p>
          </Card>
        </div>
        <div className="lg:sticky lg:top-24 lg:self-start">
          <Card className="p-5 sm:p-6">
            <h2 className="text-xl font-bold">{t('cart.from', { name: restaurant.name })}</h2>
            <CartLines />
            {at('items') && <p className="mt-3 text-sm font-medium text-danger">{at('items')}</p>}
            <p className="mt-5 flex justify-between border-t border-line pt-4 text-lg font-bold">
              <span>{t('cart.total')}</span>
              <span data-testid="total">{formatCents(cartTotal(cart), language)}</span>
            </p>
            <p className="mt-1 text-sm text-soft">{t('checkout.pay')}</p>
            <div className="mt-4 space-y-4">
              <FormError error={error && !spot && !at('items') && !at('deliveryAddress') ? error : null} />
              <Button type="submit" size="large" className="w-full" busy={busy}>
                {t('checkout.submit', { total: formatCents(cartTotal(cart), language) })}
              </Button>
            </div>
          </Card>
        </div>
      </form>
    </div>
  );
}

// The server charges the menu's price of the moment; show that one before the button is pressed.
function useMenuPrices(items: MenuItem[] | undefined): void {
  const { dispatch } = useCart();
  useEffect(() => {
    if (items) dispatch({ type: 'reprice', items: items.map((item) => ({ ...item, price: toCents(item.price) })) });
  }, [items, dispatch]);
}

function firstPin(place: Point | null, restaurant: Point): Point {
  return place && distanceMeters(place, restaurant) < REACH_METERS
    ? { latitude: place.latitude, longitude: place.longitude }
    : { latitude: restaurant.latitude, longitude: restaurant.longitude };
}

// Six places are a hand's breadth; more is noise.
const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6;
