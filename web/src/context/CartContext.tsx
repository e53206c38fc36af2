import { createContext, type Dispatch, type ReactNode, use, useEffect, useMemo, useReducer } from 'react';
import { type Cart, type CartAction, emptyCart, parseCart, reduceCart } from '@/cart/cart';
import { randomId } from '@/utils/randomId';

const KEY = 'tiffin.cart';

const CartContext = createContext<{ cart: Cart; dispatch: Dispatch<CartAction> } | null>(null);

/** The basket survives reload and is the same in every tab. */
export function CartProvider({ children }: { children: ReactNode }) {
  const [cart, dispatch] = useReducer(
    (before: Cart, action: CartAction) => reduceCart(before, action, randomId),
    undefined,
    () => parseCart(localStorage.getItem(KEY)) ?? emptyCart(randomId()),
  );

  useEffect(() => {
    const text = JSON.stringify(cart);
    if (localStorage.getItem(KEY) !== text) localStorage.setItem(KEY, text);
  }, [cart]);

  useEffect(() => {
    const follow = (event: StorageEvent) => {
      const saved = event.key === KEY ? parseCart(event.newValue) : null;
      if (saved) dispatch({ type: 'load', cart: saved });
    };
    window.addEventListener('storage', follow);
    return () => window.removeEventListener('storage', follow);
  }, []);

  const value = useMemo(() => ({ cart, dispatch }), [cart]);
  return <CartContext value={value}>{children}</CartContext>;
}

export function useCart() {
  const value = use(CartContext);
  if (!value) throw new Error('useCart outside CartProvider');
  return value;
}
