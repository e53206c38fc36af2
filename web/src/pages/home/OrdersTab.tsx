import { Link } from 'react-router';
import { useOrders, useRestaurant } from '@/api/queries';
import type { Order } from '@/api/types';
import { Button, ButtonLink } from '@/components/Button';
import { DishArt } from '@/components/DishArt';
import { Icon } from '@/components/Icon';
import { EmptyState, LoadError, Skeleton, StatusBadge } from '@/components/Parts';
import { useErrorText } from '@/components/useErrorText';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';
import { isEnded } from '@/tracking/feed';
import { useLiveOrders } from '@/tracking/useLiveOrders';
import { formatCents, toCents } from '@/utils/money';
import { formatMoment } from '@/utils/time';
import { useTitle } from '@/utils/useTitle';

/** Changes come over the socket; an order placed on another device does not. */
const REFRESH_MS = 60_000;

export function OrdersTab() {
  const { t } = useI18n();
  const { user } = useAuth();
  useTitle(t('nav.orders'));
  if (user) return <OrderList />;
  return (
    <EmptyState
      icon="receipt"
      title={t('orders.signIn')}
      action={
        <ButtonLink to="/sign-in" state={{ from: '/?tab=orders' }}>
          {t('nav.signIn')}
        </ButtonLink>
      }
    />
  );
}

function OrderList() {
  const { t } = useI18n();
  const words = useErrorText();
  const list = useOrders({}, { refetchInterval: REFRESH_MS });
  const orders = list.data?.pages.flatMap((page) => page.orders) ?? [];
  const open = orders.filter((order) => !isEnded(order.status));
  useLiveOrders(open);
  const past = orders.filter((order) => isEnded(order.status));

  if (list.isPending) {
    return (
      <div className="mt-8 space-y-3">
        <Skeleton className="h-28" />
        <Skeleton className="h-20" />
        <Skeleton className="h-20" />
      </div>
    );
  }
  if (list.isError && orders.length === 0) {
    return <LoadError message={words(list.error)} onRetry={() => void list.refetch()} />;
  }
  if (orders.length === 0) {
    return (
      <EmptyState icon="bag" title={t('orders.none')} action={<ButtonLink to="/">{t('orders.find')}</ButtonLink>}>
        {t('orders.noneHint')}
      </EmptyState>
    );
  }
  return (
    <div className="mt-7 max-w-3xl">
      <h1 className="sr-only">{t('nav.orders')}</h1>
      {open.length > 0 && <Group title={t('orders.open')} orders={open} />}
      {past.length > 0 && <Group title={t('orders.past')} orders={past} />}
      {list.hasNextPage && (
        <Button look="secondary" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {t('common.more')}
        </Button>
      )}
    </div>
  );
}

function Group({ title, orders }: { title: string; orders: Order[] }) {
  return (
    <section className="mb-9">
      <h2 className="mb-3 text-xl font-bold">{title}</h2>
      <ul className="space-y-3">
        {orders.map((order) => (
          <li key={order.id}>
            <OrderRow order={order} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function OrderRow({ order }: { order: Order }) {
  const { t, language } = useI18n();
  const { data: restaurant } = useRestaurant(order.restaurantId);
  const count = order.items.reduce((sum, item) => sum + item.quantity, 0);
  return (
    <Link
      to={`/track/${order.id}`}
      className="group flex items-center gap-4 rounded-card border border-line bg-surface p-3 pr-4 shadow-card transition-shadow hover:shadow-lift"
    >
      <DishArt
        cuisine={restaurant?.cuisine}
        name={restaurant?.name ?? order.restaurantId}
        className="size-18 shrink-0 rounded-xl"
      />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h3 className="truncate text-lg leading-tight font-bold">{restaurant?.name ?? order.city}</h3>
          <StatusBadge status={order.status} />
        </div>
        <p className="mt-1 truncate text-sm text-soft">
          {order.items.map((item) => `${item.quantity} × ${item.name}`).join(', ')}
        </p>
        <p className="mt-0.5 text-sm text-soft">
          {formatMoment(order.createdAt, language)} · {t('cart.items', { count })} ·{' '}
          <span className="font-semibold text-ink">{formatCents(toCents(order.totalAmount), language)}</span>
        </p>
      </div>
      <Icon name="chevron" className="size-5 text-soft transition-transform group-hover:translate-x-0.5" />
    </Link>
  );
}
