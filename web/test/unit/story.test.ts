import { expect, test } from 'vitest';
import type { Offer, OrderStatus, Transition } from '@/api/types';
import { tellStory } from '@/operations/story';

const at = (second: number) => `2026-11-22T14:00:${String(second).padStart(2, '0')}.000Z`;
const step = (to: OrderStatus, second: number): Transition => ({
  from: null,
  to,
  actorId: 'a',
  actorRole: 'customer',
  at: at(second),
});
const offer = (
  partnerId: string,
  status: Offer['status'],
  times: [number, (number | null)?, number?],
  seq = 2,
): Offer => ({
  seq,
  partnerId,
  status,
  offeredAt: at(times[0]),
  offerExpiresAt: at(times[0] + 30),
  ...(typeof times[1] === 'number' && { acceptedAt: at(times[1]) }),
  ...(times[2] !== undefined && { endedAt: at(times[2]) }),
});
const words = (history: Transition[], offers: Offer[]) =>
  tellStory(history, offers).map((one) => (one.kind === 'offer' ? `${one.partnerId} ${one.word}` : one.step.to));

test('offers and transitions are told in the order in which they happened', () => {
  const offers = [
    offer('ann', 'declined', [1, null, 4]),
    offer('bob', 'expired', [4, null, 34], 3),
    offer('cat', 'delivered', [34, 36, 50], 4),
  ];
  const history = [step('pending', 0), step('confirmed', 3), step('picked_up', 40), step('delivered', 50)];
  expect(words(history, offers)).toEqual([
    'pending',
    'ann offered',
    'confirmed',
    'ann declined',
    'bob offered',
    'bob expired',
    'cat offered',
    'cat accepted',
    'picked_up',
    'delivered',
  ]);
});

test('what ends an offer comes before what follows from it; an open offer has no end', () => {
  expect(words([step('cancelled', 5)], [offer('ann', 'withdrawn', [1, 2, 5])])).toEqual([
    'ann offered',
    'ann accepted',
    'cancelled',
    'ann withdrawn',
  ]);
  expect(words([], [offer('ann', 'offered', [1])])).toEqual(['ann offered']);
  expect(tellStory([], [])).toEqual([]);
});
