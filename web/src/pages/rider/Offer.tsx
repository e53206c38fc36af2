import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Assignment } from '@/api/types';
import { Button } from '@/components/Button';
import { Card } from '@/components/Parts';
import { useToast } from '@/components/Toasts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { useAnswerOffer } from '@/rider/queries';
import { distanceMeters, type Point } from '@/tracking/motion';
import { formatCents, toCents } from '@/utils/money';
import { useNow } from '@/utils/useNow';
import { formatKm } from '../home/RestaurantCard';
import { Place } from '../tracking/OrderDetails';

/** An order offered to this rider, with the time left to answer. */
export function Offer({ offer, at }: { offer: Assignment; at: Point | null }) {
  const { t, language } = useI18n();
  const toast = useToast();
  const words = useErrorText();
  const answer = useAnswerOffer();
  const queries = useQueryClient();
  const now = useNow(250);
  const expires = Date.parse(offer.offerExpiresAt);
  const total = Math.max(1000, expires - Date.parse(offer.offeredAt));
  const left = Math.min(total, Math.max(0, expires - now));
  const over = left === 0;

  useEffect(() => {
    if (over) void queries.invalidateQueries({ queryKey: ['assignments'] });
  }, [over, queries]);

  const reply = (word: 'accept' | 'decline') =>
    answer.mutate(
      { orderId: offer.orderId, answer: word },
      { onError: (error) => toast({ tone: 'bad', text: words(error) }) },
    );
  const toKitchen = at ? distanceMeters(at, offer.restaurant) / 1000 : null;
  const toDoor = distanceMeters(offer.restaurant, offer.dropoff) / 1000;
  return (
    <Card className="rise overflow-hidden border-2 border-brand!">
      <div role="alert" className="flex items-center gap-4 bg-brand-tint px-5 py-4">
        <Ring share={left / total} seconds={Math.ceil(left / 1000)} />
        <div>
          <h2 className="text-xl font-bold">{t('offer.title')}</h2>
          <p className="text-sm text-brand-strong">{t('offer.hint')}</p>
        </div>
      </div>
      <div className="space-y-4 p-5">
        <Place
          icon="store"
          label={
            toKitchen === null ? t('tracking.from') : t('offer.toKitchen', { distance: formatKm(toKitchen, language) })
          }
        >
          <span className="font-semibold">{offer.restaurant.name}</span>
          <br />
          {offer.restaurant.address}
        </Place>
        <Place icon="home" label={t('offer.toDoor', { distance: formatKm(toDoor, language) })}>
          {offer.dropoff.address}
        </Place>
        <p className="text-sm text-soft">
          {t('cart.items', { count: offer.order.items.reduce((sum, item) => sum + item.quantity, 0) })} ·{' '}
          {formatCents(toCents(offer.order.totalAmount), language)}
        </p>
        <div className="grid grid-cols-[1fr_2fr] gap-3">
          <Button look="secondary" size="large" disabled={over || answer.isPending} onClick={() => reply('decline')}>
            {t('offer.decline')}
          </Button>
          <Button size="large" icon="check" busy={answer.isPending} disabled={over} onClick={() => reply('accept')}>
            {t('offer.accept')}
          </Button>
        </div>
      </div>
    </Card>
  );
}

function Ring({ share, seconds }: { share: number; seconds: number }) {
  const around = 2 * Math.PI * 20;
  return (
    <span className="relative grid size-14 place-items-center" role="timer" aria-live="off">
      <svg viewBox="0 0 48 48" className="absolute inset-0 -rotate-90" fill="none" strokeWidth="5" aria-hidden="true">
        <circle cx="24" cy="24" r="20" className="stroke-line" />
        <circle
          cx="24"
          cy="24"
          r="20"
          className="stroke-brand"
          strokeLinecap="round"
          strokeDasharray={around}
          strokeDashoffset={around * (1 - share)}
        />
      </svg>
      <span className="font-display text-lg font-bold tabular-nums">{seconds}</span>
    </span>
  );
}
