import type { Partner } from '@/api/types';
import { Card, Skeleton } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';
import { usePastAssignments } from '@/rider/queries';
import { formatCents, toCents } from '@/utils/money';
import { formatClock } from '@/utils/time';

/** What the rider did today, and ever. */
export function Day({ partner }: { partner: Partner }) {
  const { t, language } = useI18n();
  const past = usePastAssignments();
  const midnight = new Date().setHours(0, 0, 0, 0);
  const today = (past.data ?? []).filter((a) => a.status === 'delivered' && Date.parse(a.order.updatedAt) >= midnight);
  const cents = today.reduce((sum, a) => sum + toCents(a.order.totalAmount), 0);
  return (
    <section aria-label={t('day.title')}>
      <h2 className="mb-3 text-lg font-bold">{t('day.title')}</h2>
      {past.isPending ? (
        <Skeleton className="h-24" />
      ) : (
        <Card>
          <dl className="grid grid-cols-3 divide-x divide-line text-center">
            <Figure label={t('day.deliveries')} value={String(today.length)} />
            <Figure label={t('day.value')} value={formatCents(cents, language)} />
            <Figure label={t('day.ever')} value={String(partner.totalDeliveries)} />
          </dl>
          {today.length > 0 && (
            <ul className="divide-y divide-line border-t border-line">
              {today.map((a) => (
                <li key={a.orderId} className="flex items-center justify-between gap-3 px-4 py-2.5 text-[15px]">
                  <span className="truncate font-medium">{a.restaurant.name}</span>
                  <span className="shrink-0 text-soft tabular-nums">{formatClock(a.order.updatedAt, language)}</span>
                </li>
              ))}
            </ul>
          )}
        </Card>
      )}
    </section>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div className="flex flex-col-reverse px-2 py-4">
      <dt className="text-sm text-soft">{label}</dt>
      <dd className="font-display text-2xl font-bold tabular-nums">{value}</dd>
    </div>
  );
}
