import { useEffect, useMemo, useRef, useState } from 'react';
import type { Fix } from '@/api/types';
import { useI18n } from '@/i18n/I18nContext';
import type { MapLine } from '@/map/engine';
import { MapView, useMap } from '@/map/MapView';
import { Marker, MovingMarker, Pin } from '@/map/Marker';
import type { LngLat } from '@/map/mercator';
import { Motion, type Point } from '@/tracking/motion';

interface Props {
  restaurant: (Point & { name: string }) | null;
  dropoff: (Point & { deliveryAddress?: string }) | null;
  fix: Fix | null;
  /** The link is down: what is shown may be old. */
  stale: boolean;
  ended: boolean;
}

/** A rider's way at about one fix a second for an hour. */
const TRAIL_LENGTH = 3_600;

export function TrackingMap({ restaurant, dropoff, fix, stale, ended }: Props) {
  const { t } = useI18n();
  const kitchen = usePoint(restaurant);
  const home = usePoint(dropoff);
  const fit = useMemo(() => {
    const rider = fix ? [{ lng: fix.longitude, lat: fix.latitude }] : [];
    return [kitchen, home, ...rider].filter((p): p is LngLat => p !== null);
  }, [kitchen, home, fix]);
  // Fitted when a party appears, not on each fix: the view belongs to the reader.
  const fitKey = `${kitchen !== null}${home !== null}${fix !== null}`;

  return (
    <MapView label={t('tracking.map')} fit={fit} fitKey={fitKey} fitZoom={15} lifted className="size-full">
      <Rider fix={fix} stale={stale} kitchen={kitchen} home={home} ended={ended} />
      {kitchen && (
        <Marker at={kitchen}>
          <Pin icon="store" tone="kitchen" label={restaurant?.name ?? t('tracking.from')} />
        </Marker>
      )}
      {home && (
        <Marker at={home}>
          <Pin icon="home" tone="home" label={t('tracking.dropoff')} />
        </Marker>
      )}
    </MapView>
  );
}

interface RiderProps {
  fix: Fix | null;
  stale: boolean;
  kitchen: LngLat | null;
  home: LngLat | null;
  ended: boolean;
}

/** The rider and the lines: ridden so far, and straight on to the door (no street map is pretended). */
function Rider({ fix, stale, kitchen, home, ended }: RiderProps) {
  const { t } = useI18n();
  const engine = useMap();
  const [motion] = useState(() => new Motion());
  const trail = useRef<LngLat[]>([]);
  const [tick, setTick] = useState(0);

  useEffect(() => {
    if (!fix) return;
    motion.push(fix, performance.now());
    setTick((n) => n + 1);
  }, [fix, motion]);

  useEffect(() => {
    if (!fix) engine.setLines(linesOf([], [kitchen, home], ended));
  }, [engine, fix, kitchen, home, ended]);

  if (!fix || !motion.started) return null;
  return (
    <MovingMarker
      motion={motion}
      tick={tick}
      stale={stale}
      label={t('tracking.rider')}
      onMove={(at) => {
        remember(trail.current, at);
        engine.setLines(linesOf(trail.current, [at, home], ended));
      }}
    />
  );
}

const SAME_DEGREES = 0.00002;

function remember(trail: LngLat[], at: LngLat): void {
  const last = trail.at(-1);
  if (last && Math.abs(last.lng - at.lng) + Math.abs(last.lat - at.lat) < SAME_DEGREES) return;
  trail.push(at);
  if (trail.length > TRAIL_LENGTH) trail.shift();
}

function linesOf(trail: LngLat[], ahead: (LngLat | null)[], ended: boolean): MapLine[] {
  const route = ahead.filter((p): p is LngLat => p !== null);
  return [
    ...(route.length > 1 && !ended ? [{ kind: 'route' as const, points: route }] : []),
    ...(trail.length > 1 ? [{ kind: 'trail' as const, points: trail }] : []),
  ];
}

function usePoint(point: Point | null): LngLat | null {
  const { latitude, longitude } = point ?? {};
  return useMemo(
    () => (latitude === undefined || longitude === undefined ? null : { lng: longitude, lat: latitude }),
    [latitude, longitude],
  );
}
