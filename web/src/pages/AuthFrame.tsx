import type { ReactNode } from 'react';
import { DishArt } from '@/components/DishArt';
import { useI18n } from '@/i18n/I18nContext';

const PLATES = [
  { name: 'a', cuisine: 'Mexican' },
  { name: 'b', cuisine: 'Ramen' },
  { name: 'c', cuisine: 'Pizza' },
  { name: 'd', cuisine: 'Burgers' },
  { name: 'e', cuisine: 'Sushi' },
  { name: 'f', cuisine: 'Salad' },
];

/** Form beside a table set with plates; on a phone the form alone. */
export function AuthFrame({ title, intro, children }: { title: string; intro: ReactNode; children: ReactNode }) {
  const { t } = useI18n();
  return (
    <div className="mx-auto grid max-w-6xl gap-10 px-4 py-8 sm:px-6 lg:grid-cols-2 lg:items-center lg:py-14">
      <div className="mx-auto w-full max-w-md">
        <h1 className="text-3xl font-extrabold sm:text-4xl">{title}</h1>
        <p className="mt-2 mb-7 text-soft">{intro}</p>
        {children}
      </div>
      <div className="hidden lg:block" aria-hidden="true">
        <div className="grid grid-cols-3 gap-3">
          {PLATES.map((plate) => (
            <DishArt key={plate.name} {...plate} className="aspect-square rounded-3xl" />
          ))}
        </div>
        <p className="mt-6 max-w-md font-display text-2xl leading-snug font-bold">{t('auth.promise')}</p>
      </div>
    </div>
  );
}
