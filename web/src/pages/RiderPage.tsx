import { useEffect, useMemo, useState } from 'react';
import type { Assignment, Order, Partner } from '@/api/types';
import { Card, EmptyState, LoadError, Skeleton } from '@/components/Parts';
import { Switch } from '@/components/Switch';
import { useToast } from '@/components/Toasts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { useAssignment, useAvailability, usePartner } from '@/rider/queries';
import { type Source, usePosition } from '@/rider/usePosition';
import { useReporter } from '@/rider/useReporter';
import { useLiveOrders } from '@/tracking/useLiveOrders';
import { chime } from '@/utils/chime';
import { useTitle } from '@/utils/useTitle';
import { Day } from './rider/Day';
import { Job } from './rider/Job';
import { Offer } from './rider/Offer';
import { PositionSource } from './rider/PositionSource';
import { RiderMap } from './rider/RiderMap';

const NOTHING: Order[] = [];
const SOURCE_KEY = 'tiffin.rider.source';

export default function RiderPage() {
  const { t } = useI18n();
  const words = useErrorText();
  const partner = usePartner();
  useTitle(t('nav.rider'));
  if (partner.isError && !partner.data)
    return <LoadError page message={words(partner.error)} onRetry={() => void partner.refetch()} />;
  if (!partner.data) return <Skeleton className="m-4 h-[70dvh]" />;
  return <Shift partner={partner.data} />;
}

function Shift({ partner }: { partner: Partner }) {
  const { t } = useI18n();
  const [source, setSource] = useState<Source>(() =>
    localStorage.getItem(SOURCE_KEY) === 'simulated' ? 'simulated' : 'device',
  );
  const carryingId = partner.currentOrderId;
  const assignment = useAssignment(partner.isAvailable || carryingId !== null).data ?? null;
  const carrying = assignment?.status === 'accepted' || assignment?.status === 'picked_up' ? assignment : null;
  const offer = assignment?.status === 'offered' ? assignment : null;
  const online = partner.isAvailable || carrying !== null;

  const start = useMemo(
    () =>
      partner.latitude === null || partner.longitude === null
        ? null
        : { latitude: partner.latitude, longitude: partner.longitude },
    [partner.latitude, partner.longitude],
  );
  const target = carrying ? (carrying.status === 'accepted' ? carrying.restaurant : carrying.dropoff) : null;
  const { reading, failed } = usePosition(source, online, start, target);
  const report = useReporter(online ? partner.id : null, carrying?.orderId ?? null, reading);
  useOfferSound(offer);
  useLiveOrders(assignment ? [assignment.order] : NOTHING);

  return (
    <div className="mx-auto grid max-w-[1400px] lg:h-[calc(100dvh-4rem)] lg:grid-cols-[minmax(0,1fr)_440px]">
      <RiderMap at={reading ?? start} heading={reading?.heading ?? null} job={offer ?? carrying} />
      <div className="space-y-5 px-4 py-5 sm:px-6 lg:overflow-y-auto lg:border-l lg:border-line">
        <Availability partner={partner} carrying={carrying !== null} />
        {offer && <Offer key={offer.orderId + offer.offeredAt} offer={offer} at={reading ?? start} />}
        {carrying && <Job assignment={carrying} />}
        {!offer && !carrying && (
          <Card>
            <EmptyState icon="scooter" title={t(online ? 'rider.waiting' : 'rider.offline')}>
              {t(online ? 'rider.waitingHint' : 'rider.offlineHint')}
            </EmptyState>
          </Card>
        )}
        {online && (
          <PositionSource
            source={source}
            failed={failed}
            report={report}
            onChange={(next) => {
              localStorage.setItem(SOURCE_KEY, next);
              setSource(next);
            }}
          />
        )}
        <Day partner={partner} />
      </div>
    </div>
  );
}

function Availability({ partner, carrying }: { partner: Partner; carrying: boolean }) {
  const { t } = useI18n();
  const toast = useToast();
  const words = useErrorText();
  const availability = useAvailability();
  return (
    <div className="flex items-center justify-between gap-4">
      <h1 className="text-2xl font-extrabold">
        {t(partner.isAvailable ? 'rider.online' : carrying ? 'rider.lastOne' : 'rider.off')}
      </h1>
      <Switch
        label={t('rider.takeOrders')}
        checked={partner.isAvailable}
        busy={availability.isPending}
        onChange={(isAvailable) =>
          availability.mutate(
            { id: partner.id, isAvailable },
            { onError: (error) => toast({ tone: 'bad', text: words(error) }) },
          )
        }
      />
    </div>
  );
}

function useOfferSound(offer: Assignment | null): void {
  const id = offer && `${offer.orderId} ${offer.offeredAt}`;
  useEffect(() => {
    if (id) chime();
  }, [id]);
}
