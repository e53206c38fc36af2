import { useEffect, useMemo, useState } from 'react';
import type { Assignment } from '@/api/types';
import { useI18n } from '@/i18n/I18nContext';
import { MapView } from '@/map/MapView';
import { Marker, MovingMarker, Pin } from '@/map/Marker';
import { Motion, type Point } from '@/tracking/motion';

export function RiderMap({ at, heading, job }: { at: Point | null; heading: number | null; job: Assignment | null }) {
  const { t } = useI18n();
  const [motion] = useState(() => new Motion());
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!at) return;
    motion.push({ ...at, heading }, performance.now());
    setTick((n) => n + 1);
  }, [at, heading, motion]);

  const kitchen = useMemo(() => (job ? { lng: job.restaurant.longitude, lat: job.restaurant.latitude } : null), [job]);
  const door = useMemo(() => (job ? { lng: job.dropoff.longitude, lat: job.dropoff.latitude } : null), [job]);
  const me = useMemo(() => (at ? { lng: at.longitude, lat: at.latitude } : null), [at]);
  const fit = useMemo(() => [me, kitchen, door].filter((p) => p !== null), [me, kitchen, door]);
  const lines = useMemo(
    () =>
      kitchen && door && me
        ? [{ kind: 'route' as const, points: job?.status === 'picked_up' ? [me, door] : [me, kitchen, door] }]
        : [],
    [kitchen, door, me, job?.status],
  );
  return (
    <MapView
      label={t('rider.map')}
      fit={fit}
      fitKey={`${job?.orderId ?? ''}${me !== null}`}
      lines={lines}
      // On a phone an offer and its buttons must fit beneath, without scrolling.
      className={`${job ? 'h-[24dvh] min-h-44' : 'h-[38dvh] min-h-64'} lg:h-full`}
    >
      {at && <MovingMarker motion={motion} tick={tick} stale={false} label={t('rider.you')} />}
      {kitchen && (
        <Marker at={kitchen}>
          <Pin icon="store" tone="kitchen" label={job?.restaurant.name ?? ''} />
        </Marker>
      )}
      {door && (
        <Marker at={door}>
          <Pin icon="home" tone="home" label={job?.dropoff.address ?? ''} />
        </Marker>
      )}
    </MapView>
  );
}
