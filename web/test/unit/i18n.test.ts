import { describe, expect, test } from 'vitest';
import { en } from '@/i18n/en';
import { es } from '@/i18n/es';
import { fill, type Message } from '@/i18n/format';
import { fr } from '@/i18n/fr';
import { chooseLanguage } from '@/i18n/I18nContext';

const catalogs: Record<string, Record<string, Message>> = { es, fr };
const keys = Object.keys(en) as (keyof typeof en)[];

const forms = (message: Message | undefined) =>
  typeof message === 'object' ? [message.one, message.other] : [message ?? ''];
const holes = (message: Message | undefined) =>
  [...new Set(forms(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();

describe.each(Object.keys(catalogs))('%s', (language) => {
  const catalog = catalogs[language] as Record<string, Message>;

  test('says everything English says, and nothing else', () => {
    expect(Object.keys(catalog).sort()).toEqual([...keys].sort());
  });

  test.each(keys)('%s is written, with the same values in it', (key) => {
    expect(forms(catalog[key]).every((text) => text.trim() !== '')).toBe(true);
    expect(holes(catalog[key])).toEqual(holes(en[key]));
    expect(typeof catalog[key]).toBe(typeof en[key]);
  });

  test('is a translation: sentences differ from English', () => {
    const sentences = keys.filter((key) => forms(en[key]).some((text) => text.split(' ').length > 3));
    const same = sentences.filter((key) => JSON.stringify(catalog[key]) === JSON.stringify(en[key]));
    expect(same).toEqual([]);
  });
});

test('values and plurals are filled in, in the rules of each language', () => {
  expect(fill(en['nav.account'], 'en', { name: 'Maya' })).toBe('Account of Maya');
  expect(fill(en['cart.items'], 'en', { count: 1 })).toBe('1 item');
  expect(fill(en['cart.items'], 'en', { count: 1200 })).toBe('1,200 items');
  // Zero is singular in French and plural in English.
  expect(fill(fr['cart.items'], 'fr', { count: 0 })).toBe('0 article');
  expect(fill(en['cart.items'], 'en', { count: 0 })).toBe('0 items');
});

test('a missing value shows its name instead of nothing', () => {
  expect(fill('Hello {name}', 'en')).toBe('Hello {name}');
});

test.each([
  ['fr', ['en-US'], 'fr'],
  [null, ['es-MX', 'en'], 'es'],
  [null, ['de', 'fr-CA'], 'fr'],
  ['xx', ['de'], 'en'],
] as const)('saved %j and wanted %j gives %s', (saved, wanted, language) => {
  expect(chooseLanguage(saved, wanted)).toBe(language);
});
