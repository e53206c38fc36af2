import { useEffect, useRef } from 'react';
import { useOrders } from '@/api/queries';
import type { Order, OrderStatus, Restaurant } from '@/api/types';
import { Button } from '@/components/Button';
import { EmptyState, LoadError, Skeleton } from '@/components/Parts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { isEnded } from '@/tracking/feed';
import { useLiveOrders } from '@/tracking/useLiveOrders';
import { chime } from '@/utils/chime';
import { Ticket } from './Ticket';

/** New orders must be heard within seconds; the socket tells about orders one knows, not about new ones. */
const POLL_MS = 3_000;

const COLUMNS: { title: 'kitchen.new' | 'kitchen.cooking' | 'kitchen.ready'; states: OrderStatus[] }[] = [
  { title: 'kitchen.new', states: ['pending'] },
  { title: 'kitchen.cooking', states: ['confirmed', 'preparing'] },
  { title: 'kitchen.ready', states: ['ready', 'picked_up'] },
];

/** Tickets on a rail: new, cooking, waiting for the rider. */
export function OrderBoard({ restaurant }: { restaurant: Restaurant }) {
  const { t } = useI18n();
  const words = useErrorText();
  const list = useOrders({ restaurantId: restaurant.id }, { refetchInterval: POLL_MS });
  const orders = list.data?.pages.flatMap((page) => page.orders) ?? [];
  useNewOrderSound(list.data ? orders : null);
  useLiveOrders(orders.filter((order) => !isEnded(order.status)));

  if (list.isPending) return <Skeleton className="h-96" />;
  if (list.isError && orders.length === 0)
    return <LoadError message={words(list.error)} onRetry={() => void list.refetch()} />;
  const open = orders.filter((order) => !isEnded(order.status)).reverse();
  const past = orders.filter((order) => isEnded(order.status));
  return (
    <>
      {open.length === 0 && (
        <EmptyState icon="pot" title={t('kitchen.quiet')}>
          {t(restaurant.isActive ? 'kitchen.quietHint' : 'kitchen.quietClosed')}
        </EmptyState>
      )}
      {open.length > 0 && (
        <div className="grid gap-6 lg:grid-cols-3">
          {COLUMNS.map(({ title, states }) => {
            const tickets = open.filter((order) => states.includes(order.status));
            return (
              <section key={title} aria-label={t(title)}>
                <h2 className="mb-3 flex items-center gap-2 text-lg font-bold">
                  {t(title)}
                  <span className="grid h-6 min-w-6 place-items-center rounded-full bg-sunken px-1.5 font-sans text-sm">
                    {tickets.length}
                  </span>
                </h2>
                <ul className="space-y-4">
                  {tickets.map((order) => (
                    <li key={order.id} className="rise">
                      <Ticket order={order} />
                    </li>
                  ))}
                </ul>
              </section>
            );
          })}
        </div>
      )}
      {past.length > 0 && (
        <section aria-label={t('kitchen.past')} className="mt-12">
          <h2 className="mb-3 text-lg font-bold">{t('kitchen.past')}</h2>
          <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            {past.map((order) => (
              <li key={order.id}>
                <Ticket order={order} />
              </li>
            ))}
          </ul>
          {list.hasNextPage && (
            <Button
              look="secondary"
              className="mt-4"
              busy={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              {t('common.more')}
            </Button>
          )}
        </section>
      )}
    </>
  );
}

// Sounds for orders that came while the page was open, not for those it began with.
function useNewOrderSound(orders: Order[] | null): void {
  const known = useRef<Set<string> | null>(null);
  useEffect(() => {
    if (!orders) return;
    const pending = orders.filter((order) => order.status === 'pending').map((order) => order.id);
    if (known.current && pending.some((id) => !known.current?.has(id))) chime();
    known.current = new Set([...(known.current ?? []), ...pending]);
  }, [orders]);
}
