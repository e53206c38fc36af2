import { useState } from 'react';
import { useLocation, useParams } from 'react-router';
import { ApiError } from '@/api/errors';
import { useHistory, useOrder, useRestaurant, useSetStatus, useTracking } from '@/api/queries';
import type { Order, OrderStatus } from '@/api/types';
import { Button, ButtonLink } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { EmptyState, LoadError, Skeleton, StatusBadge } from '@/components/Parts';
import { useToast } from '@/components/Toasts';
import { useErrorText } from '@/components/useErrorText';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';
import { isEnded } from '@/tracking/feed';
import { useOrderFeed } from '@/tracking/useOrderFeed';
import { useTitle } from '@/utils/useTitle';
import { LinkChip } from './tracking/LinkChip';
import { OrderDetails } from './tracking/OrderDetails';
import { Timeline } from './tracking/Timeline';
import { TrackingMap } from './tracking/TrackingMap';

const POLL_MS = 10_000;

export default function TrackingPage() {
  const { id = '' } = useParams();
  // Another order is another page: nothing of the one before may linger on the map.
  return <Tracking key={id} id={id} />;
}

function Tracking({ id }: { id: string }) {
  const { t } = useI18n();
  const { user } = useAuth();
  const words = useErrorText();
  const feed = useOrderFeed(id);
  // Where no socket comes through, asking now and then still tells the truth.
  const poll = feed.link === 'live' ? false : POLL_MS;
  const order = useOrder(id, poll);
  const tracking = useTracking(id, poll);
  const history = useHistory(id, order.isSuccess);
  const restaurant = useRestaurant(order.data?.restaurantId);
  const { pathname } = useLocation();

  const status = latestStatus(feed.state.status, feed.state.seq, order.data, tracking.data?.seq);
  const kind = order.error instanceof ApiError ? order.error.kind : null;
  useTitle(status ? t(`tracking.headline.${status}`) : t('tracking.title'));

  // Without an account a shared link still works where the fleet lets anybody watch; the socket knows.
  if (kind === 'unauthenticated' && feed.link !== 'live' && feed.link !== 'connecting') {
    return (
      <EmptyState
        page
        icon="route"
        title={t('tracking.signIn')}
        action={
          <ButtonLink to="/sign-in" state={{ from: pathname }}>
            {t('nav.signIn')}
          </ButtonLink>
        }
      />
    );
  }
  if (kind === 'notFound') {
    return (
      <EmptyState
        page
        icon="receipt"
        title={t('tracking.notFound')}
        action={<ButtonLink to="/?tab=orders">{t('nav.orders')}</ButtonLink>}
      >
        {t('tracking.notFoundHint')}
      </EmptyState>
    );
  }
  if (order.isError && !order.data && !status && kind !== 'unauthenticated') {
    return <LoadError page message={words(order.error)} onRetry={() => void order.refetch()} />;
  }
  if (!status) return <Skeleton className="m-4 h-[70dvh] rounded-3xl" />;

  const fix = isEnded(status) ? null : (feed.state.fix ?? tracking.data?.location ?? null);
  const eta = fix?.etaMinutes ?? tracking.data?.etaMinutes ?? null;
  return (
    <div className="mx-auto grid max-w-[1400px] lg:h-[calc(100dvh-4rem)] lg:grid-cols-[minmax(0,1fr)_420px]">
      <div className="relative h-[46dvh] min-h-72 lg:h-full">
        <TrackingMap
          restaurant={restaurant.data ?? null}
          dropoff={order.data ?? null}
          fix={fix}
          stale={feed.link !== 'live'}
          ended={isEnded(status)}
        />
        <div className="absolute top-3 left-3">
          {!isEnded(status) && <LinkChip link={feed.link} heardAt={feed.heardAt} />}
        </div>
      </div>
      <section
        aria-label={t('tracking.title')}
        className="relative -mt-5 rounded-t-3xl border-line bg-canvas px-5 pt-6 pb-8 lg:mt-0 lg:overflow-y-auto lg:rounded-none lg:border-l lg:px-7"
      >
        <Headline status={status} eta={eta} order={order.data ?? null} />
        <div className="mt-6">
          <Timeline status={status} history={history.data ?? []} />
        </div>
        <div className="mt-6 flex flex-wrap gap-3">
          <ShareButton />
          {user?.role === 'customer' && (status === 'pending' || status === 'confirmed') && <CancelButton id={id} />}
        </div>
        {order.data && <OrderDetails order={order.data} restaurant={restaurant.data ?? null} />}
      </section>
    </div>
  );
}

// Socket and REST race each other; the higher sequence number knows better.
function latestStatus(
  live: OrderStatus | null,
  seq: number,
  order: Order | undefined,
  restSeq: number | undefined,
): OrderStatus | null {
  if (!live) return order?.status ?? null;
  if (!order) return live;
  if (isEnded(order.status)) return order.status;
  return seq >= (restSeq ?? 0) ? live : order.status;
}

function Headline({ status, eta, order }: { status: OrderStatus; eta: number | null; order: Order | null }) {
  const { t, language } = useI18n();
  const due = order ? Date.parse(order.createdAt) + order.estimatedDeliveryTime * 60_000 : null;
  return (
    <div aria-live="polite">
      <StatusBadge status={status} />
      <h1 className="mt-3 text-[28px] leading-tight font-extrabold sm:text-3xl">{t(`tracking.headline.${status}`)}</h1>
      {!isEnded(status) && (
        <p className="mt-1.5 text-lg text-soft">
          {eta !== null ? (
            <span>
              <strong className="font-bold text-ink">
                {eta < 1 ? t('tracking.etaNow') : t('tracking.eta', { count: Math.round(eta) })}
              </strong>
            </span>
          ) : (
            due !== null &&
            t('tracking.due', {
              time: new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }).format(due),
            })
          )}
        </p>
      )}
    </div>
  );
}

function ShareButton() {
  const { t } = useI18n();
  const toast = useToast();
  const share = async () => {
    const url = window.location.href;
    try {
      if (navigator.share) await navigator.share({ title: t('tracking.shareTitle'), url });
      else {
        await navigator.clipboard.writeText(url);
        toast({ tone: 'good', text: t('tracking.copied') });
      }
    } catch (error) {
      // Closing the share sheet is an answer, not a failure.
      if ((error as Error).name !== 'AbortError') toast({ tone: 'bad', text: t('tracking.copyFailed') });
    }
  };
  return (
    <Button look="secondary" size="small" icon="share" onClick={share}>
      {t('tracking.share')}
    </Button>
  );
}

function CancelButton({ id }: { id: string }) {
  const { t } = useI18n();
  const words = useErrorText();
  const toast = useToast();
  const setStatus = useSetStatus();
  const [asking, setAsking] = useState(false);
  const cancel = async () => {
    try {
      await setStatus.mutateAsync({ id, status: 'cancelled' });
      toast({ tone: 'good', text: t('tracking.cancelled') });
    } catch (error) {
      toast({ tone: 'bad', text: words(error) });
    }
    setAsking(false);
  };
  return (
    <>
      <Button look="danger" size="small" onClick={() => setAsking(true)}>
        {t('tracking.cancel')}
      </Button>
      <Dialog title={t('tracking.cancelTitle')} open={asking} onClose={() => setAsking(false)}>
        <p className="text-soft">{t('tracking.cancelText')}</p>
        <div className="mt-6 flex flex-wrap justify-end gap-3">
          <Button look="secondary" onClick={() => setAsking(false)}>
            {t('tracking.keep')}
          </Button>
          <Button look="danger" busy={setStatus.isPending} onClick={cancel}>
            {t('tracking.cancel')}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
