import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import { type English, en } from './en';
import { fill, type Message, type Values } from './format';

export const LANGUAGES = { en: 'English', es: 'Español', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;
export type Key = keyof English;
/** What another language must say: every key, a plural where English has one. */
export type Catalog = { [K in Key]: English[K] extends string ? string : { one: string; other: string } };

const KEY = 'tiffin.language';
// English is part of the first load; the others come when somebody reads them.
const LOAD: Record<Language, () => Promise<Catalog>> = {
  en: async () => en,
  es: async () => (await import('./es')).es,
  fr: async () => (await import('./fr')).fr,
};

type Args<K extends Key> = keyof Values<English[K]> extends never ? [] : [values: Values<English[K]>];

export interface I18n {
  language: Language;
  setLanguage(language: Language): void;
  t<K extends Key>(key: K, ...values: Args<K>): string;
}

export const I18nContext = createContext<I18n | null>(null);

/** The reader's own choice, else the first of the browser's languages that we speak, else English. */
export function chooseLanguage(saved: string | null, wanted: readonly string[]): Language {
  const known = (tag: string) => tag.slice(0, 2).toLowerCase();
  const match = [saved ?? '', ...wanted].map(known).find((tag) => tag in LANGUAGES);
  return (match as Language | undefined) ?? 'en';
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(() => chooseLanguage(localStorage.getItem(KEY), navigator.languages));
  const [loaded, setLoaded] = useState<{ language: Language; catalog: Catalog }>({ language: 'en', catalog: en });

  useEffect(() => {
    let current = true;
    LOAD[language]().then(
      (catalog) => current && setLoaded({ language, catalog }),
      // Without the file the app goes on in the language it already has.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [language]);

  useEffect(() => {
    document.documentElement.lang = loaded.language;
  }, [loaded.language]);

  const choose = useCallback((next: Language) => {
    localStorage.setItem(KEY, next);
    setLanguage(next);
  }, []);

  const i18n = useMemo<I18n>(
    () => ({
      language: loaded.language,
      setLanguage: choose,
      t: (key, ...values) =>
        fill(loaded.catalog[key] as Message, loaded.language, values[0] as Record<string, string | number> | undefined),
    }),
    [loaded, choose],
  );
  return <I18nContext value={i18n}>{children}</I18nContext>;
}

export function useI18n(): I18n {
  const i18n = use(I18nContext);
  if (!i18n) throw new Error('useI18n outside I18nProvider');
  return i18n;
}
