import { useMemo } from 'react';
import { useOrders } from '@/api/queries';
import type { Order, OrderStatus } from '@/api/types';
import { Card } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';
import { MapView } from '@/map/MapView';
import { Marker } from '@/map/Marker';
import { isEnded } from '@/tracking/feed';

const POLL_MS = 10_000;
/** The three countries, for a fleet without orders. */
const CONTINENT = [
  { lng: -125, lat: 50 },
  { lng: -66, lat: 16 },
];

const TONES: Partial<Record<OrderStatus, string>> = {
  pending: 'bg-turmeric',
  picked_up: 'bg-leaf',
};

/** The newest orders where they are to go; open ones stand out, one press shows an order's story. */
export function OrderMap({ onOpen }: { onOpen: (id: string) => void }) {
  const { t } = useI18n();
  const list = useOrders({}, { refetchInterval: POLL_MS });
  const orders = useMemo(() => list.data?.pages.flatMap((page) => page.orders) ?? [], [list.data]);
  const open = useMemo(() => orders.filter((order) => !isEnded(order.status)), [orders]);
  return (
    <Card className="overflow-hidden">
      <MapView label={t('ops.map')} fit={CONTINENT} fitKey="continent" className="h-[420px] lg:h-full lg:min-h-[520px]">
        {orders
          .filter((order) => isEnded(order.status))
          .map((order) => (
            <Dot key={order.id} order={order} onOpen={onOpen} />
          ))}
        {open.map((order) => (
          <Dot key={order.id} order={order} onOpen={onOpen} />
        ))}
      </MapView>
    </Card>
  );
}

function Dot({ order, onOpen }: { order: Order; onOpen: (id: string) => void }) {
  const { t } = useI18n();
  const at = useMemo(() => ({ lng: order.longitude, lat: order.latitude }), [order.longitude, order.latitude]);
  const ended = isEnded(order.status);
  return (
    <Marker at={at} anchor="dot">
      <button
        type="button"
        onClick={() => onOpen(order.id)}
        aria-label={`${t(`status.${order.status}`)}, ${order.city}`}
        title={`${t(`status.${order.status}`)} · ${order.city}`}
        className={`grid size-6 place-items-center rounded-full ${ended ? 'opacity-60' : ''}`}
      >
        <span
          className={`rounded-full border-2 border-white shadow ${ended ? 'size-2.5 bg-edge' : `size-4 ${TONES[order.status] ?? 'bg-sky'}`}`}
        />
      </button>
    </Marker>
  );
}
