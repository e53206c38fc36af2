import type { Overview } from '@/api/types';
import { Card, StatusBadge } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';
import { formatAgo } from '@/utils/time';
import { useNow } from '@/utils/useNow';

/** Orders that have not moved for longer than their state should last. */
export function Stuck({ overview, onOpen }: { overview: Overview; onOpen: (id: string) => void }) {
  const { t, language } = useI18n();
  const now = useNow(10_000);
  const stuck = overview.orders?.stuck ?? [];
  return (
    <Card className="p-5">
      <h2 className="mb-3 text-lg font-bold">{t('ops.stuckTitle')}</h2>
      {stuck.length === 0 ? (
        <p className="text-soft">{t('ops.stuckNone')}</p>
      ) : (
        <ul className="divide-y divide-line">
          {stuck.map((order) => (
            <li key={order.orderId}>
              <button
                type="button"
                onClick={() => onOpen(order.orderId)}
                className="flex w-full items-center gap-3 rounded-lg py-2.5 text-left hover:bg-sunken"
              >
                <StatusBadge status={order.status} />
                <span className="min-w-0 flex-1 truncate">{order.city}</span>
                <span className="text-sm text-soft">{formatAgo(Date.parse(order.updatedAt), now, language)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
