import { useMemo } from 'react';
import { useOrders } from '@/api/queries';
import type { Order, OrderStatus, Rider } from '@/api/types';
import { Icon } from '@/components/Icon';
import { Card } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';
import { MapView } from '@/map/MapView';
import { Marker } from '@/map/Marker';
import { useRiders } from '@/operations/queries';
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

/** The newest orders where they are to go, and the riders where they are; one press shows an order's story. */
export function OrderMap({ onOpen }: { onOpen: (id: string) => void }) {
  const { t } = useI18n();
  const list = useOrders({}, { refetchInterval: POLL_MS });
  const orders = useMemo(() => list.data?.pages.flatMap((page) => page.orders) ?? [], [list.data]);
  const riders = useRiders().data ?? [];
  const open = useMemo(() => orders.filter((order) => !isEnded(order.status)), [orders]);
  return (
    <Card className="flex flex-col overflow-hidden">
      <MapView
        label={t('ops.map')}
        fit={CONTINENT}
        fitKey="continent"
        className="h-[420px] lg:h-auto lg:min-h-[520px] lg:flex-1"
      >
        {orders
          .filter((order) => isEnded(order.status))
          .map((order) => (
            <Dot key={order.id} order={order} onOpen={onOpen} />
          ))}
        {open.map((order) => (
          <Dot key={order.id} order={order} onOpen={onOpen} />
        ))}
        {riders.map((rider) => (
          <Scooter key={rider.id} rider={rider} onOpen={onOpen} />
        ))}
      </MapView>
      <Legend />
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

const RIDERS: Record<Rider['state'], string> = {
  free: 'bg-surface text-leaf-ink',
  offered: 'bg-turmeric text-on-turmeric',
  carrying: 'bg-leaf text-on-leaf',
  silent: 'bg-edge text-surface',
  offline: 'bg-edge text-surface',
};

function Scooter({ rider, onOpen }: { rider: Rider; onOpen: (id: string) => void }) {
  const { t } = useI18n();
  const at = useMemo(() => ({ lng: rider.longitude, lat: rider.latitude }), [rider.longitude, rider.latitude]);
  const label = `${t('ops.rider', { state: t(`riders.${rider.state}`) })}, ${rider.city}`;
  const { orderId } = rider;
  const face = (
    <span
      className={`grid size-6 place-items-center rounded-full border border-white shadow ${RIDERS[rider.state]}`}
      data-testid="rider"
    >
      <Icon name="scooter" className="size-4" />
    </span>
  );
  return (
    <Marker at={at} anchor="dot">
      {orderId ? (
        <button type="button" onClick={() => onOpen(orderId)} aria-label={label} title={label} className="rounded-full">
          {face}
        </button>
      ) : (
        <span role="img" aria-label={label} title={label}>
          {face}
        </span>
      )}
    </Marker>
  );
}

function Legend() {
  const { t } = useI18n();
  const dot = 'size-3 rounded-full border border-line';
  return (
    <ul
      aria-label={t('ops.legend')}
      className="flex flex-wrap gap-x-5 gap-y-1.5 border-t border-line px-5 py-3 text-sm"
    >
      {[
        { face: `${dot} bg-turmeric`, label: t('status.pending') },
        { face: `${dot} bg-sky`, label: t('ops.orderOpen') },
        { face: `${dot} bg-leaf`, label: t('status.picked_up') },
      ].map(({ face, label }) => (
        <li key={label} className="flex items-center gap-2">
          <span className={face} aria-hidden="true" />
          {label}
        </li>
      ))}
      {(['free', 'offered', 'carrying'] as const).map((state) => (
        <li key={state} className="flex items-center gap-2">
          <span
            aria-hidden="true"
            className={`grid size-5 place-items-center rounded-full border border-line ${RIDERS[state]}`}
          >
            <Icon name="scooter" className="size-3.5" />
          </span>
          {t('ops.rider', { state: t(`riders.${state}`) })}
        </li>
      ))}
    </ul>
  );
}
