import { render, screen } from '@testing-library/react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { OrderStatus, Transition } from '@/api/types';
import { I18nProvider } from '@/i18n/I18nContext';
import { LinkChip } from '@/pages/tracking/LinkChip';
import { Timeline } from '@/pages/tracking/Timeline';

const step = (to: OrderStatus, minute: number, reason?: string): Transition => ({
  from: null,
  to,
  actorId: 'a',
  actorRole: 'customer',
  at: `2026-11-22T14:0${minute}:00.000Z`,
  ...(reason && { reason }),
});
const steps = () => screen.getAllByRole('listitem');

describe('the timeline', () => {
  const timeline = (status: OrderStatus, history: Transition[]) =>
    render(
      <I18nProvider>
        <Timeline status={status} history={history} />
      </I18nProvider>,
    );

  test('shows what is done, where it is and what is to come', () => {
    timeline('preparing', [step('pending', 0), step('confirmed', 2), step('preparing', 4)]);
    expect(steps()).toHaveLength(6);
    expect(steps().findIndex((item) => item.getAttribute('aria-current') === 'step')).toBe(2);
    expect(steps().map((item) => item.querySelector('time')?.dateTime ?? null)).toEqual([
      '2026-11-22T14:00:00.000Z',
      '2026-11-22T14:02:00.000Z',
      '2026-11-22T14:04:00.000Z',
      null,
      null,
      null,
    ]);
  });

  test('an order that ended early shows the steps it made, its end and why', () => {
    timeline('rejected', [step('pending', 0), step('rejected', 1, 'Sold out')]);
    expect(steps().map((item) => item.textContent)).toEqual([
      expect.stringContaining('Order placed'),
      expect.stringContaining('Rejected by the restaurant'),
    ]);
    expect(screen.getByText(/Sold out/)).toBeTruthy();
  });
});

describe('the state of the link', () => {
  afterEach(() => vi.useRealTimers());
  const chip = (props: Parameters<typeof LinkChip>[0]) =>
    render(
      <I18nProvider>
        <LinkChip {...props} />
      </I18nProvider>,
    );

  test('is live', () => {
    chip({ link: 'live', heardAt: Date.now() });
    expect(screen.getByRole('status').textContent).toBe('Live');
  });

  test('says how long nothing was heard while it reconnects', () => {
    vi.useFakeTimers({ now: new Date('2026-11-22T14:00:00Z') });
    chip({ link: 'reconnecting', heardAt: Date.now() - 12_000 });
    expect(screen.getByRole('status').textContent).toBe('Reconnecting, last heard 12 seconds ago');
  });

  test('claims nothing before the first word', () => {
    chip({ link: 'reconnecting', heardAt: null });
    expect(screen.getByRole('status').textContent).toBe('Reconnecting …');
  });
});
