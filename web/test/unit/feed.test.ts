import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fix, OrderStatus, OrderUpdate } from '@/api/types';
import { applyFix, applySnapshot, applyUpdate, EMPTY_FEED, type FeedState, isEnded } from '@/tracking/feed';

const PATH: OrderStatus[] = ['pending', 'confirmed', 'preparing', 'ready', 'picked_up', 'delivered'];

function update(seq: number, status: OrderStatus = PATH[Math.min(seq, PATH.length) - 1] as OrderStatus): OrderUpdate {
  return {
    orderId: 'o',
    seq,
    status,
    deliveryPartnerId: 'p',
    estimatedDeliveryTime: 30,
    timestamp: '2026-11-22T14:00:00.000Z',
  };
}

function fix(second: number): Fix {
  return {
    orderId: 'o',
    deliveryPartnerId: 'p',
    latitude: 37 + second / 1000,
    longitude: -122,
    timestamp: new Date(Date.UTC(2026, 10, 22, 14, 0, second)).toISOString(),
  };
}

const at = (seq: number, status: OrderStatus): FeedState => ({ ...EMPTY_FEED, seq, status });

describe('sequence numbers', () => {
  test('the next one is taken without a gap', () => {
    const { state, gap } = applyUpdate(at(1, 'pending'), update(2));
    expect(state).toMatchObject({ seq: 2, status: 'confirmed' });
    expect(gap).toBe(false);
  });

  test('a repetition and an old one change nothing', () => {
    const state = at(3, 'preparing');
    expect(applyUpdate(state, update(3)).state).toBe(state);
    expect(applyUpdate(state, update(1)).state).toBe(state);
  });

  test('a jump is shown at once and asks for what is missing', () => {
    const { state, gap } = applyUpdate(at(1, 'pending'), update(4));
    expect(state.status).toBe('ready');
    expect(gap).toBe(true);
  });

  test('the first word of all is no gap', () => {
    expect(applyUpdate(EMPTY_FEED, update(4)).gap).toBe(false);
  });

  test('in whatever order and however often updates come, the last state is the highest number’s', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 30 }), (numbers) => {
        const state = numbers.reduce((before, seq) => applyUpdate(before, update(seq)).state, EMPTY_FEED);
        const highest = Math.max(...numbers);
        expect(state).toMatchObject({ seq: highest, status: PATH[highest - 1] });
      }),
    );
  });
});

describe('the answer to a subscription', () => {
  test('says where the order stands, the first time', () => {
    expect(applySnapshot(EMPTY_FEED, { status: 'ready', seq: 5, location: fix(1) })).toMatchObject({
      seq: 5,
      status: 'ready',
      fix: fix(1),
    });
  });

  test('does not run ahead of the updates that follow it after a reconnect', () => {
    const state = applySnapshot(at(2, 'confirmed'), { status: 'ready', seq: 4 });
    expect(state.seq).toBe(2);
    const { state: next, gap } = applyUpdate(state, update(3));
    expect(next.status).toBe('preparing');
    expect(gap).toBe(false);
  });
});

describe('positions', () => {
  test('an older fix never replaces a newer one', () => {
    const state = applyFix(EMPTY_FEED, fix(10));
    expect(applyFix(state, fix(9))).toBe(state);
    expect(applyFix(state, fix(11)).fix).toEqual(fix(11));
  });

  test('the rider is gone from the map when the order ends', () => {
    const riding = applyFix(at(5, 'picked_up'), fix(1));
    expect(applyUpdate(riding, update(6, 'delivered')).state.fix).toBeNull();
    expect(applyUpdate(riding, { ...update(6, 'picked_up'), deliveryPartnerId: null }).state.fix).toBeNull();
    expect(applyUpdate(riding, update(6, 'picked_up')).state.fix).toEqual(fix(1));
  });
});

test('five states are ends', () => {
  expect(PATH.filter(isEnded)).toEqual(['delivered']);
  expect((['rejected', 'expired', 'cancelled', 'failed'] as OrderStatus[]).every(isEnded)).toBe(true);
});
