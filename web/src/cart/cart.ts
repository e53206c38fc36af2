/** The basket: one restaurant at a time, because one rider carries one order. Amounts in cents. */

export interface CartLine {
  menuItemId: string;
  name: string;
  unitPrice: number;
  quantity: number;
}

export interface Cart {
  restaurant: { id: string; name: string; city: string; latitude: number; longitude: number } | null;
  lines: CartLine[];
  /**
   * Sent as Idempotency-Key when ordering. It changes with the content, so pressing the button
   * again after a lost answer finds the same order, and a changed basket makes a new one.
   */
  key: string;
}

export type CartAction =
  | { type: 'add'; restaurant: NonNullable<Cart['restaurant']>; item: Omit<CartLine, 'quantity'> }
  | { type: 'setQuantity'; menuItemId: string; quantity: number }
  | { type: 'reprice'; items: { id: string; price: number; isAvailable: boolean }[] }
  | { type: 'clear' }
  | { type: 'load'; cart: Cart };

/** The server refuses more of one item. */
export const MAX_QUANTITY = 99;

export function emptyCart(key: string): Cart {
  return { restaurant: null, lines: [], key };
}

/** `newKey` is called for a change of content only. */
export function reduceCart(cart: Cart, action: CartAction, newKey: () => string): Cart {
  switch (action.type) {
    case 'load':
      return action.cart;
    case 'clear':
      return emptyCart(newKey());
    case 'add': {
      const moved = cart.restaurant?.id !== action.restaurant.id;
      const lines = moved ? [] : cart.lines;
      return { restaurant: action.restaurant, lines: added(lines, action.item), key: newKey() };
    }
    case 'setQuantity': {
      const quantity = Math.min(MAX_QUANTITY, Math.max(0, Math.trunc(action.quantity)));
      const lines = cart.lines
        .map((line) => (line.menuItemId === action.menuItemId ? { ...line, quantity } : line))
        .filter((line) => line.quantity > 0);
      return lines.length === 0 ? emptyCart(newKey()) : { ...cart, lines, key: newKey() };
    }
    case 'reprice':
      return repriced(cart, action.items, newKey);
  }
}

function added(lines: CartLine[], item: Omit<CartLine, 'quantity'>): CartLine[] {
  if (!lines.some((line) => line.menuItemId === item.menuItemId)) return [...lines, { ...item, quantity: 1 }];
  return lines.map((line) =>
    line.menuItemId === item.menuItemId ? { ...item, quantity: Math.min(MAX_QUANTITY, line.quantity + 1) } : line,
  );
}

// The server charges the menu's price of the moment, so the basket must show that one too.
function repriced(
  cart: Cart,
  items: { id: string; price: number; isAvailable: boolean }[],
  newKey: () => string,
): Cart {
  const menu = new Map(items.map((item) => [item.id, item]));
  const lines = cart.lines.flatMap((line) => {
    const item = menu.get(line.menuItemId);
    return item?.isAvailable ? [{ ...line, unitPrice: item.price }] : [];
  });
  const same =
    lines.length === cart.lines.length && lines.every((line, i) => line.unitPrice === cart.lines[i]?.unitPrice);
  if (same) return cart;
  return lines.length === 0 ? emptyCart(newKey()) : { ...cart, lines, key: newKey() };
}

export function cartTotal(cart: Cart): number {
  return cart.lines.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0);
}

export function cartCount(cart: Cart): number {
  return cart.lines.reduce((sum, line) => sum + line.quantity, 0);
}

/** A saved cart, or null for anything that is not one. */
export function parseCart(text: string | null): Cart | null {
  if (!text) return null;
  try {
    const cart = JSON.parse(text) as Cart;
    const whole =
      typeof cart.key === 'string' &&
      Array.isArray(cart.lines) &&
      cart.lines.every(
        (line) => line.menuItemId && Number.isInteger(line.quantity) && Number.isInteger(line.unitPrice),
      );
    return whole ? cart : null;
  } catch {
    return null;
  }
}
