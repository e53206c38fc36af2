import { type ChangeEvent, useMemo, useState } from 'react';
import type { Restaurant } from '@/api/types';
import { Button } from '@/components/Button';
import { CitySearch } from '@/components/CitySearch';
import { TextField } from '@/components/Field';
import { FormError } from '@/components/FormError';
import { useForm } from '@/components/useForm';
import { useI18n } from '@/i18n/I18nContext';
import { type RestaurantFields, useSaveRestaurant } from '@/kitchen/queries';
import { MapView } from '@/map/MapView';
import { Marker, Pin } from '@/map/Marker';

interface Props {
  userId: string;
  /** Null: a new one. */
  restaurant: Restaurant | null;
  onDone: (saved: Restaurant) => void;
  onCancel: (() => void) | null;
}

const EMPTY: RestaurantFields = {
  name: '',
  city: '',
  address: '',
  latitude: 0,
  longitude: 0,
  phoneNumber: '',
  email: '',
  cuisine: '',
};
const TEXTS = ['name', 'city', 'address', 'phoneNumber', 'email'] as const;

export function RestaurantForm({ userId, restaurant, onDone, onCancel }: Props) {
  const { t } = useI18n();
  const save = useSaveRestaurant(userId);
  const [values, setValues] = useState<RestaurantFields>(() => (restaurant ? pick(restaurant) : EMPTY));
  const placed = values.latitude !== 0 || values.longitude !== 0;

  const { busy, error, at, form } = useForm<keyof RestaurantFields>(
    async () => {
      const { cuisine, ...rest } = values;
      const fields = cuisine?.trim() || restaurant ? { ...rest, cuisine: cuisine?.trim() ?? '' } : rest;
      onDone(await save.mutateAsync({ id: restaurant?.id ?? null, fields }));
    },
    () => {
      const wrong: Partial<Record<keyof RestaurantFields, string>> = {};
      for (const name of TEXTS) if (values[name].trim() === '') wrong[name] = t('field.required');
      if (!placed && !wrong.city) wrong.latitude = t('kitchen.pinMissing');
      return wrong;
    },
  );
  const bind = (name: Exclude<keyof RestaurantFields, 'latitude' | 'longitude' | 'city'>) => ({
    name,
    value: values[name] ?? '',
    error: at(name),
    onChange: (event: ChangeEvent<HTMLInputElement>) => setValues({ ...values, [name]: event.target.value }),
  });
  const spot = useMemo(() => ({ lng: values.longitude, lat: values.latitude }), [values.longitude, values.latitude]);
  const fit = useMemo(() => (placed ? [spot] : []), [placed, spot]);
  return (
    <form {...form} className="space-y-5">
      <FormError error={error && error.fields.size === 0 ? error : null} />
      <div className="grid gap-5 sm:grid-cols-2">
        <TextField label={t('kitchen.name')} {...bind('name')} />
        <TextField label={t('kitchen.cuisine')} {...bind('cuisine')} />
        <TextField label={t('field.phoneNumber')} type="tel" {...bind('phoneNumber')} />
        <TextField label={t('field.email')} type="email" {...bind('email')} />
      </div>
      <CitySearch
        label={t('field.city')}
        value={values.city}
        error={at('city')}
        onText={(city) => setValues({ ...values, city })}
        onPick={(city) =>
          setValues({
            ...values,
            city: city.state ? `${city.name}, ${city.state}` : city.name,
            latitude: city.latitude,
            longitude: city.longitude,
          })
        }
      />
      <TextField label={t('kitchen.address')} {...bind('address')} autoComplete="street-address" />
      <div>
        <p className="mb-1.5 text-sm font-semibold">{t('kitchen.pin')}</p>
        <MapView
          label={t('kitchen.pinMap')}
          fit={fit}
          fitKey={values.city + String(placed)}
          fitZoom={12}
          onPick={(at) => setValues({ ...values, latitude: at.lat, longitude: at.lng })}
          className="h-72 rounded-2xl border border-line"
        >
          {placed && (
            <Marker at={spot}>
              <Pin icon="store" tone="kitchen" label={values.name} />
            </Marker>
          )}
        </MapView>
        <p role="alert" className="mt-1.5 text-sm font-medium text-danger">
          {at('latitude') ?? at('longitude')}
        </p>
      </div>
      <div className="flex gap-3">
        {onCancel && (
          <Button look="secondary" size="large" onClick={onCancel}>
            {t('common.cancel')}
          </Button>
        )}
        <Button type="submit" size="large" busy={busy} className="flex-1 sm:flex-none">
          {t('common.save')}
        </Button>
      </div>
    </form>
  );
}

function pick({ name, city, address, latitude, longitude, phoneNumber, email, cuisine }: Restaurant): RestaurantFields {
  return { name, city, address, latitude, longitude, phoneNumber, email, cuisine: cuisine ?? '' };
}
