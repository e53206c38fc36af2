import { useMemo } from 'react';
import { useI18n } from '@/i18n/I18nContext';
import { MapView } from '@/map/MapView';
import { Marker, Pin } from '@/map/Marker';
import { distanceMeters, type Point } from '@/tracking/motion';
import { formatKm } from '../home/RestaurantCard';

/** Where the rider shall ring: a tap (or Enter at the map's middle) puts the pin. */
export function DropoffMap({
  restaurant,
  pin,
  onPin,
}: {
  restaurant: Point & { name: string };
  pin: Point;
  onPin: (pin: Point) => void;
}) {
  const { t, language } = useI18n();
  const kitchen = useMemo(() => ({ lng: restaurant.longitude, lat: restaurant.latitude }), [restaurant]);
  const home = useMemo(() => ({ lng: pin.longitude, lat: pin.latitude }), [pin]);
  const fit = useMemo(() => [kitchen, home], [kitchen, home]);
  const km = distanceMeters(restaurant, pin) / 1000;
  return (
    <>
      <MapView
        label={t('checkout.map')}
        fit={fit}
        // Once: a map that jumps after each tap cannot be aimed with.
        fitKey={restaurant.name}
        onPick={(at) => onPin({ latitude: at.lat, longitude: at.lng })}
        className="h-72 rounded-2xl border border-line"
      >
        <Marker at={kitchen}>
          <Pin icon="store" tone="kitchen" label={restaurant.name} />
        </Marker>
        <Marker at={home}>
          <Pin icon="home" tone="home" label={t('tracking.dropoff')} />
        </Marker>
      </MapView>
      <p className="mt-2 text-sm text-soft">{t('checkout.pinHint', { distance: formatKm(km, language) })}</p>
    </>
  );
}
