import { useState } from 'react';
import { Link } from 'react-router';
import { useSetStatus } from '@/api/queries';
import type { Order, OrderStatus } from '@/api/types';
import { Button } from '@/components/Button';
import { Card, StatusBadge } from '@/components/Parts';
import { ReasonDialog } from '@/components/ReasonDialog';
import { useToast } from '@/components/Toasts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { isEnded } from '@/tracking/feed';
import { formatCents, toCents } from '@/utils/money';
import { formatAgo } from '@/utils/time';
import { useNow } from '@/utils/useNow';

/** What moves a ticket on, by where it is. Rider's moves are not the kitchen's. */
const NEXT: Partial<Record<OrderStatus, OrderStatus>> = {
  pending: 'confirmed',
  confirmed: 'preparing',
  preparing: 'ready',
};

/** One order as the kitchen needs it: what to cook, how long it has waited, the next press. */
export function Ticket({ order }: { order: Order }) {
  const { t, language } = useI18n();
  const toast = useToast();
  const words = useErrorText();
  const setStatus = useSetStatus();
  const now = useNow(10_000, !isEnded(order.status));
  const [refusing, setRefusing] = useState(false);
  const next = NEXT[order.status];
  const refusal: OrderStatus = order.status === 'pending' ? 'rejected' : 'cancelled';

  const move = async (status: OrderStatus, reason?: string) => {
    try {
      await setStatus.mutateAsync({ id: order.id, status, ...(reason && { reason }) });
    } catch (error) {
      toast({ tone: 'bad', text: words(error) });
    }
  };
  return (
    <Card className={`p-4 ${order.status === 'pending' ? 'border-turmeric! ring-2 ring-turmeric/40' : ''}`}>
      <div className="flex items-center justify-between gap-3">
        <StatusBadge status={order.status} />
        <time dateTime={order.createdAt} className="text-sm text-soft">
          {formatAgo(Date.parse(order.createdAt), now, language)}
        </time>
      </div>
      <ul className="my-3 space-y-1 text-[17px]">
        {order.items.map((item) => (
          <li key={item.menuItemId} className="flex gap-2.5">
            <span className="font-bold tabular-nums">{item.quantity} ×</span>
            {item.name}
          </li>
        ))}
      </ul>
      <p className="flex items-center justify-between gap-3 border-t border-line pt-3 text-sm text-soft">
        <Link to={`/track/${order.id}`} className="underline underline-offset-4 hover:text-ink">
          #{order.id.slice(-6)}
        </Link>
        <span>{t(order.deliveryPartnerId ? 'kitchen.riderFound' : 'kitchen.riderSought')}</span>
        <span className="font-semibold text-ink">{formatCents(toCents(order.totalAmount), language)}</span>
      </p>
      {(next || order.status === 'ready') && (
        <div className="mt-3 flex gap-2">
          {next && (
            <Button
              className="flex-1"
              look={order.status === 'pending' ? 'success' : 'primary'}
              busy={setStatus.isPending}
              onClick={() => move(next)}
            >
              {t(`kitchen.to.${next as 'confirmed' | 'preparing' | 'ready'}`)}
            </Button>
          )}
          <Button look={next ? 'danger' : 'quiet'} disabled={setStatus.isPending} onClick={() => setRefusing(true)}>
            {t(order.status === 'pending' ? 'kitchen.reject' : 'kitchen.cancel')}
          </Button>
        </div>
      )}
      <ReasonDialog
        title={t(order.status === 'pending' ? 'kitchen.rejectTitle' : 'kitchen.cancelTitle')}
        action={t(order.status === 'pending' ? 'kitchen.reject' : 'kitchen.cancel')}
        open={refusing}
        reasons={[t('kitchen.reason.soldOut'), t('kitchen.reason.busy'), t('kitchen.reason.closing')]}
        onClose={() => setRefusing(false)}
        onSend={(reason) => move(refusal, reason)}
      />
    </Card>
  );
}
