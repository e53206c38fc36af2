import { useDeferredValue, useMemo, useState } from 'react';
import { type RestaurantFilter, useRestaurants } from '@/api/queries';
import { Button } from '@/components/Button';
import { useSettled } from '@/components/CitySearch';
import { CONTROL } from '@/components/Field';
import { Icon } from '@/components/Icon';
import { EmptyState, LoadError, Skeleton } from '@/components/Parts';
import { useErrorText } from '@/components/useErrorText';
import { type Place, usePlace } from '@/context/PlaceContext';
import { useI18n } from '@/i18n/I18nContext';
import { PlaceForm } from '@/layout/PlacePicker';
import { useTitle } from '@/utils/useTitle';
import { RestaurantCard } from './RestaurantCard';

const NEAR_KM = 15;

export function RestaurantsTab() {
  const { t } = useI18n();
  const { place } = usePlace();
  const [text, setText] = useState('');
  const [cuisine, setCuisine] = useState('');
  useTitle(t('nav.restaurants'));
  const q = useSettled(text.trim(), 250);
  const filter = useMemo(() => filterOf(place, q, cuisine), [place, q, cuisine]);
  const list = useRestaurants(useDeferredValue(filter));
  const words = useErrorText();
  const found = useMemo(() => list.data?.pages.flatMap((page) => page.restaurants) ?? [], [list.data]);
  // From the unfiltered list, so that choosing one does not take the others away.
  const all = useRestaurants(useMemo(() => filterOf(place, '', ''), [place]));
  const cuisines = useMemo(() => {
    const near = new Set(
      (all.data?.pages ?? [])
        .flatMap((page) => page.restaurants)
        .map((restaurant) => restaurant.cuisine)
        .filter((name): name is string => Boolean(name)),
    );
    if (cuisine) near.add(cuisine);
    return [...near].sort().slice(0, 12);
  }, [all.data, cuisine]);

  if (!place) return <Welcome />;
  return (
    <>
      <h1 className="mt-6 text-3xl font-extrabold sm:text-[40px] sm:leading-[1.1]">
        {place.exact ? t('home.titleHere') : t('home.title', { city: place.city })}
      </h1>
      <div className="mt-5 flex flex-col gap-4">
        <search className="relative block max-w-xl">
          <Icon
            name="search"
            className="pointer-events-none absolute top-1/2 left-4 size-5 -translate-y-1/2 text-soft"
          />
          <input
            type="search"
            aria-label={t('home.search')}
            placeholder={t('home.searchHint')}
            value={text}
            onChange={(event) => setText(event.target.value)}
            className={`${CONTROL} h-13 rounded-full! pl-12`}
          />
        </search>
        {(cuisines.length > 1 || cuisine) && (
          <fieldset className="-mx-4 flex gap-2 overflow-x-auto px-4 pb-1 [scrollbar-width:none] sm:mx-0 sm:flex-wrap sm:px-0">
            <legend className="sr-only">{t('home.cuisine')}</legend>
            {cuisines.map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={cuisine === name}
                onClick={() => setCuisine(cuisine === name ? '' : name)}
                className="h-10 shrink-0 rounded-full border border-edge/50 bg-surface px-4 text-sm font-semibold hover:border-ink aria-pressed:border-ink aria-pressed:bg-ink aria-pressed:text-canvas"
              >
                {name}
              </button>
            ))}
          </fieldset>
        )}
      </div>

      <section aria-label={t('nav.restaurants')} aria-busy={list.isFetching} className="mt-7">
        {list.isPending && <Loading />}
        {list.isError && found.length === 0 && (
          <LoadError message={words(list.error)} onRetry={() => void list.refetch()} />
        )}
        {list.isSuccess && found.length === 0 && (
          <EmptyState
            icon="store"
            title={t(q || cuisine ? 'home.noMatch' : 'home.noneHere')}
            action={
              q || cuisine ? (
                <Button
                  look="secondary"
                  onClick={() => {
                    setText('');
                    setCuisine('');
                  }}
                >
                  {t('home.clear')}
                </Button>
              ) : undefined
            }
          >
            {t(q || cuisine ? 'home.noMatchHint' : 'home.noneHereHint')}
          </EmptyState>
        )}
        <ul className="grid gap-5 sm:grid-cols-2 lg:grid-cols-3">
          {found.map((restaurant) => (
            <li key={restaurant.id}>
              <RestaurantCard restaurant={restaurant} />
            </li>
          ))}
        </ul>
        {list.hasNextPage && (
          <div className="mt-8 text-center">
            <Button look="secondary" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {t('common.more')}
            </Button>
          </div>
        )}
      </section>
    </>
  );
}

function filterOf(place: Place | null, q: string, cuisine: string): RestaurantFilter {
  const where = place?.exact
    ? { latitude: place.latitude, longitude: place.longitude, radiusKm: NEAR_KM }
    : place
      ? { city: place.state ? `${place.city}, ${place.state}` : place.city }
      : {};
  return { ...where, ...(q && { q }), ...(cuisine && { cuisine }) };
}

function Welcome() {
  const { t } = useI18n();
  return (
    <div className="mx-auto max-w-xl py-10 sm:py-16">
      <h1 className="text-4xl font-extrabold sm:text-5xl">{t('home.welcome')}</h1>
      <p className="mt-3 mb-8 text-lg text-soft">{t('home.welcomeHint')}</p>
      <PlaceForm onDone={() => undefined} />
    </div>
  );
}

function Loading() {
  return (
    <div className="grid gap-5 sm:grid-cols-2 lg:grid-cols-3">
      {[0, 1, 2, 3, 4, 5].map((i) => (
        <Skeleton key={i} className="h-60" />
      ))}
    </div>
  );
}
