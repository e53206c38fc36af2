import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCents, fromCents, parsePrice, toCents } from '@/utils/money';

const cents = fc.integer({ min: 0, max: 99_999_999 });

test('every amount of cents survives the way to the API and back', () => {
  fc.assert(fc.property(cents, (amount) => toCents(fromCents(amount)) === amount));
});

test('every amount survives JSON, whatever its binary form', () => {
  fc.assert(fc.property(cents, (amount) => toCents(JSON.parse((amount / 100).toFixed(2))) === amount));
});

test('what is typed in either notation is the same price', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), (amount) => {
      const text = (amount / 100).toFixed(2);
      expect(parsePrice(text)).toBe(amount);
      expect(parsePrice(text.replace('.', ','))).toBe(amount);
    }),
  );
});

test.each([
  ['12', 1200],
  ['12.5', 1250],
  [' 7,05 ', 705],
  ['0.30', 30],
])('%j is %d cents', (text, amount) => {
  expect(parsePrice(text)).toBe(amount);
});

test.each(['', 'free', '1.234', '-3', '1e3', '1 200', '12345678', '$5'])('%j is no price', (text) => {
  expect(parsePrice(text)).toBeNull();
});

test('money reads as in the reader’s language', () => {
  expect(formatCents(4599, 'en')).toBe('$45.99');
  expect(formatCents(123456, 'en')).toBe('$1,234.56');
  expect(formatCents(4599, 'fr')).toMatch(/^45,99\s\$$/);
  expect(formatCents(30, 'es')).toMatch(/^0,30\s\$$/);
});
