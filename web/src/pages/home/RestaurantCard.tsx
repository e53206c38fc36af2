import { Link } from 'react-router';
import type { Restaurant } from '@/api/types';
import { DishArt } from '@/components/DishArt';
import { Icon } from '@/components/Icon';
import { Badge, Rating } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';

export function RestaurantCard({ restaurant }: { restaurant: Restaurant }) {
  const { t, language } = useI18n();
  const { name, cuisine, rating, isActive, address, distanceKm } = restaurant;
  return (
    <Link
      to={`/r/${restaurant.id}`}
      className="group block overflow-hidden rounded-card border border-line bg-surface shadow-card transition-shadow duration-200 hover:shadow-lift"
    >
      <div className="relative">
        <DishArt cuisine={cuisine} name={name} className={`h-36 ${isActive ? '' : 'saturate-[.25]'}`} />
        {!isActive && (
          <span className="absolute top-3 left-3">
            <Badge>{t('restaurant.closed')}</Badge>
          </span>
        )}
      </div>
      <div className="p-4">
        <div className="flex items-start justify-between gap-3">
          <h2 className="text-lg leading-tight font-bold group-hover:underline group-hover:decoration-2 group-hover:underline-offset-4">
            {name}
          </h2>
          <Rating value={rating} />
        </div>
        <p className="mt-1 flex items-center gap-1.5 text-sm text-soft">
          {cuisine && <span>{cuisine}</span>}
          {cuisine && distanceKm !== undefined && <span aria-hidden="true">·</span>}
          {distanceKm !== undefined && (
            <span className="inline-flex items-center gap-1">
              <Icon name="pin" className="size-3.5" />
              {formatKm(distanceKm, language)}
            </span>
          )}
        </p>
        <p className="mt-0.5 truncate text-sm text-soft">{address}</p>
      </div>
    </Link>
  );
}

export function formatKm(km: number, locale: string): string {
  const unit = km < 1 ? 'meter' : 'kilometer';
  const value = km < 1 ? Math.round(km * 100) * 10 : km;
  return new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: km < 10 ? 1 : 0 }).format(value);
}
