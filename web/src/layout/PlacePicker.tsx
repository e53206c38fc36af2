import { useState } from 'react';
import { Button } from '@/components/Button';
import { CitySearch } from '@/components/CitySearch';
import { Dialog } from '@/components/Dialog';
import { Icon } from '@/components/Icon';
import { usePlace } from '@/context/PlaceContext';
import { useI18n } from '@/i18n/I18nContext';
import { useLocate } from '@/utils/useLocate';

/** Where the food goes, in the header, and the dialog that changes it. */
export function PlacePicker() {
  const { t } = useI18n();
  const { place } = usePlace();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        onClick={() => setOpen(true)}
        className="flex min-w-0 items-center gap-1.5 rounded-full border border-line bg-surface py-2 pr-3 pl-2.5 text-sm font-semibold hover:border-edge"
      >
        <Icon name="pin" className="size-[18px] text-brand" />
        <span className="sr-only">{t('place.change')}:</span>
        <span className="truncate">{place ? (place.exact ? t('place.here') : place.city) : t('place.choose')}</span>
        <Icon name="down" className="size-3.5 text-soft" />
      </button>
      <Dialog title={t('place.title')} open={open} onClose={() => setOpen(false)}>
        <PlaceForm onDone={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

const SUGGESTED = [
  { city: 'San Francisco', state: 'CA', latitude: 37.7749, longitude: -122.4194 },
  { city: 'New York City', state: 'NY', latitude: 40.7143, longitude: -74.006 },
  { city: 'Austin', state: 'TX', latitude: 30.2672, longitude: -97.7431 },
  { city: 'Toronto', state: 'ON', latitude: 43.7001, longitude: -79.4163 },
  { city: 'Mexico City', state: 'CMX', latitude: 19.4285, longitude: -99.1277 },
];

export function PlaceForm({ onDone }: { onDone: () => void }) {
  const { t } = useI18n();
  const { setPlace } = usePlace();
  const [text, setText] = useState('');
  const { locate, busy, failed } = useLocate();

  const here = async () => {
    const at = await locate();
    if (!at) return;
    setPlace({ city: t('place.here'), state: '', ...at, exact: true });
    onDone();
  };
  return (
    <div className="space-y-5">
      <CitySearch
        label={t('place.city')}
        value={text}
        autoFocus
        onText={setText}
        onPick={(city) => {
          setPlace({ city: city.name, state: city.state, latitude: city.latitude, longitude: city.longitude });
          onDone();
        }}
      />
      <ul className="flex flex-wrap gap-2" aria-label={t('place.popular')}>
        {SUGGESTED.map((place) => (
          <li key={place.city}>
            <Button
              look="secondary"
              size="small"
              onClick={() => {
                setPlace(place);
                onDone();
              }}
            >
              {place.city}
            </Button>
          </li>
        ))}
      </ul>
      <div className="border-t border-line pt-4">
        <Button look="quiet" icon="target" busy={busy} onClick={here} className="-ml-3">
          {t('place.locate')}
        </Button>
        <p role="status" className="text-sm text-danger">
          {failed && t('place.locateFailed')}
        </p>
      </div>
    </div>
  );
}
