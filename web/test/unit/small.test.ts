import { expect, test } from 'vitest';
import { figureOf, hueOf } from '@/components/DishArt';
import { summed } from '@/pages/operations/Services';
import { Pace } from '@/utils/pace';
import { formatAgo } from '@/utils/time';

test('a burst passes at once, then requests are spread evenly', () => {
  let now = 0;
  const pace = new Pace(8, 8, () => now);
  expect(Array.from({ length: 8 }, () => pace.take())).toEqual(Array(8).fill(0));
  expect(pace.take()).toBe(125);
  expect(pace.take()).toBe(250);
  now = 10_000;
  expect(pace.take()).toBe(0);
});

test('times ago are said in the largest unit that fits', () => {
  const now = Date.UTC(2026, 10, 22, 12);
  expect(formatAgo(now - 12_000, now, 'en')).toBe('12 seconds ago');
  expect(formatAgo(now - 150_000, now, 'en')).toBe('2 minutes ago');
  expect(formatAgo(now - 7_300_000, now, 'en')).toBe('2 hours ago');
  expect(formatAgo(now - 90_000_000, now, 'fr')).toBe('hier');
  // A clock that runs ahead of the server's must not speak of the future.
  expect(formatAgo(now + 5_000, now, 'en')).toBe('now');
});

test('cuisines find their picture, unknown ones the house’s own', () => {
  expect(figureOf('Tex-Mex')).toBe('taco');
  expect(figureOf('Japanese')).toBe('sushi');
  expect(figureOf('Ethiopian')).toBe('tiffin');
  expect(figureOf(undefined)).toBe('tiffin');
  expect(hueOf('Saffron & Sons')).toBe(hueOf('Saffron & Sons'));
});

test('the same verb of two instances is one row, its average weighted', () => {
  const instance = (requests: number, averageMs: number) => ({
    id: 'i',
    version: '1.0.0',
    startedAt: '',
    requests,
    errors: 1,
    averageMs,
    endpoints: [{ name: 'get', requests, errors: 1, averageMs }],
  });
  expect(summed({ name: 'order', instances: [instance(100, 2), instance(300, 6)] })).toEqual([
    { name: 'get', requests: 400, errors: 2, averageMs: 5 },
  ]);
});
