import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Cart,
  type CartAction,
  cartCount,
  cartTotal,
  emptyCart,
  MAX_QUANTITY,
  parseCart,
  reduceCart,
} from '@/cart/cart';

const thai = { id: 'r1', name: 'Thai', city: 'Oakland', latitude: 37.8, longitude: -122.27 };
const pizza = { ...thai, id: 'r2', name: 'Pizza' };
const curry = { menuItemId: 'm1', name: 'Curry', unitPrice: 1250 };
const rice = { menuItemId: 'm2', name: 'Rice', unitPrice: 305 };

/** Keys count up, so that a test sees when a new one was drawn. */
function run(actions: CartAction[], from: Cart = emptyCart('k0')): Cart {
  let serial = 0;
  return actions.reduce((cart, action) => reduceCart(cart, action, () => `k${++serial}`), from);
}

test('adding the same dish again raises its quantity', () => {
  const cart = run([
    { type: 'add', restaurant: thai, item: curry },
    { type: 'add', restaurant: thai, item: rice },
    { type: 'add', restaurant: thai, item: curry },
  ]);
  expect(cart.lines.map((line) => [line.name, line.quantity])).toEqual([
    ['Curry', 2],
    ['Rice', 1],
  ]);
  expect(cartCount(cart)).toBe(3);
  expect(cartTotal(cart)).toBe(2805);
});

test('a dish of another kitchen begins a new basket', () => {
  const cart = run([
    { type: 'add', restaurant: thai, item: curry },
    { type: 'add', restaurant: pizza, item: rice },
  ]);
  expect(cart.restaurant).toEqual(pizza);
  expect(cart.lines.map((line) => line.name)).toEqual(['Rice']);
});

test('none left of anything is an empty basket, without a kitchen', () => {
  const cart = run([
    { type: 'add', restaurant: thai, item: curry },
    { type: 'setQuantity', menuItemId: 'm1', quantity: 0 },
  ]);
  expect(cart).toMatchObject({ restaurant: null, lines: [] });
});

describe('the key that makes ordering repeatable', () => {
  const before = run([{ type: 'add', restaurant: thai, item: curry }]);

  test('changes with the content', () => {
    const after = reduceCart(before, { type: 'setQuantity', menuItemId: 'm1', quantity: 2 }, () => 'new');
    expect(after.key).toBe('new');
  });

  test('stays when the menu says the same', () => {
    const after = reduceCart(
      before,
      { type: 'reprice', items: [{ id: 'm1', price: 1250, isAvailable: true }] },
      () => 'new',
    );
    expect(after).toBe(before);
  });

  test('changes when a price does', () => {
    const after = reduceCart(
      before,
      { type: 'reprice', items: [{ id: 'm1', price: 1300, isAvailable: true }] },
      () => 'new',
    );
    expect(after.key).toBe('new');
    expect(cartTotal(after)).toBe(1300);
  });
});

test('what is sold out leaves the basket', () => {
  const cart = run([
    { type: 'add', restaurant: thai, item: curry },
    { type: 'add', restaurant: thai, item: rice },
    {
      type: 'reprice',
      items: [
        { id: 'm1', price: 1250, isAvailable: false },
        { id: 'm2', price: 305, isAvailable: true },
      ],
    },
  ]);
  expect(cart.lines.map((line) => line.name)).toEqual(['Rice']);
});

const action: fc.Arbitrary<CartAction> = fc.oneof(
  fc.record({
    type: fc.constant('add' as const),
    restaurant: fc.constantFrom(thai, pizza),
    item: fc.constantFrom(curry, rice),
  }),
  fc.record({
    type: fc.constant('setQuantity' as const),
    menuItemId: fc.constantFrom('m1', 'm2', 'unknown'),
    quantity: fc.integer({ min: -5, max: 500 }),
  }),
  fc.record({
    type: fc.constant('reprice' as const),
    items: fc.array(
      fc.record({
        id: fc.constantFrom('m1', 'm2'),
        price: fc.integer({ min: 1, max: 9999 }),
        isAvailable: fc.boolean(),
      }),
    ),
  }),
  fc.constant({ type: 'clear' as const }),
);

test('whatever is pressed, quantities stay in bounds and an empty basket has no kitchen', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const cart = run(actions);
      expect(cart.lines.every((line) => line.quantity >= 1 && line.quantity <= MAX_QUANTITY)).toBe(true);
      expect(new Set(cart.lines.map((line) => line.menuItemId)).size).toBe(cart.lines.length);
      expect(cart.restaurant === null).toBe(cart.lines.length === 0);
      expect(parseCart(JSON.stringify(cart))).toEqual(cart);
    }),
  );
});

test.each([null, '', '{', '{}', '{"key":"k","lines":[{"menuItemId":"m","quantity":1.5,"unitPrice":1}]}'])(
  'a saved %j is no basket',
  (text) => {
    expect(parseCart(text)).toBeNull();
  },
);
