import { useState } from 'react';
import { useSetStatus } from '@/api/queries';
import type { Assignment, OrderStatus } from '@/api/types';
import { Button } from '@/components/Button';
import { Card, StatusBadge } from '@/components/Parts';
import { ReasonDialog } from '@/components/ReasonDialog';
import { useToast } from '@/components/Toasts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { useOrderFeed } from '@/tracking/useOrderFeed';
import { formatCents, toCents } from '@/utils/money';
import { Place } from '../tracking/OrderDetails';

/** The order being carried, and the one thing to do next. */
export function Job({ assignment }: { assignment: Assignment }) {
  const { t, language } = useI18n();
  const toast = useToast();
  const words = useErrorText();
  const setStatus = useSetStatus();
  const feed = useOrderFeed(assignment.orderId);
  const [failing, setFailing] = useState(false);
  const status = feed.state.status ?? assignment.order.status;
  const carrying = assignment.status === 'picked_up' || status === 'picked_up';

  const move = async (next: OrderStatus, reason?: string) => {
    try {
      await setStatus.mutateAsync({ id: assignment.orderId, status: next, ...(reason && { reason }) });
      if (next === 'delivered') toast({ tone: 'good', text: t('job.delivered') });
    } catch (error) {
      toast({ tone: 'bad', text: words(error) });
    }
  };

  return (
    <Card className="p-5">
      <div className="mb-4 flex items-center justify-between gap-3">
        <h2 className="text-xl font-bold">
          {t(carrying ? 'job.toDoor' : status === 'ready' ? 'job.pickUp' : 'job.toKitchen')}
        </h2>
        <StatusBadge status={status} />
      </div>
      <div className="space-y-4">
        <div className={carrying ? 'opacity-55' : ''}>
          <Place icon={carrying ? 'check' : 'store'} label={t('tracking.from')}>
            <span className="font-semibold">{assignment.restaurant.name}</span>
            <br />
            {assignment.restaurant.address}
          </Place>
        </div>
        <Place icon="home" label={t('tracking.to')}>
          {assignment.dropoff.address}
        </Place>
        <ul className="rounded-xl bg-sunken px-4 py-3 text-[15px]">
          {assignment.order.items.map((item) => (
            <li key={item.menuItemId}>
              <span className="font-semibold tabular-nums">{item.quantity} ×</span> {item.name}
            </li>
          ))}
          <li className="mt-1 font-semibold">{formatCents(toCents(assignment.order.totalAmount), language)}</li>
        </ul>
        {carrying ? (
          <div className="flex flex-col gap-2">
            <Button
              look="success"
              size="large"
              icon="check"
              busy={setStatus.isPending}
              onClick={() => move('delivered')}
            >
              {t('job.handOver')}
            </Button>
            <Button look="quiet" size="small" onClick={() => setFailing(true)}>
              {t('job.fail')}
            </Button>
          </div>
        ) : (
          <>
            <Button
              size="large"
              icon="bag"
              className="w-full"
              disabled={status !== 'ready'}
              busy={setStatus.isPending}
              onClick={() => move('picked_up')}
            >
              {t('job.take')}
            </Button>
            {status !== 'ready' && <p className="text-center text-sm text-soft">{t('job.notReady')}</p>}
          </>
        )}
      </div>
      <ReasonDialog
        title={t('job.failTitle')}
        action={t('job.fail')}
        open={failing}
        reasons={[t('job.reason.nobody'), t('job.reason.address'), t('job.reason.accident')]}
        onClose={() => setFailing(false)}
        onSend={(reason) => move('failed', reason)}
      />
    </Card>
  );
}
