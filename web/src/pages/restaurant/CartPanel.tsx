import { cartTotal } from '@/cart/cart';
import { ButtonLink } from '@/components/Button';
import { Icon } from '@/components/Icon';
import { Card } from '@/components/Parts';
import { Quantity } from '@/components/Quantity';
import { useCart } from '@/context/CartContext';
import { useI18n } from '@/i18n/I18nContext';
import { formatCents } from '@/utils/money';

/** The basket beside a menu. */
export function CartPanel() {
  const { t, language } = useI18n();
  const { cart } = useCart();
  if (!cart.restaurant) {
    return (
      <Card className="flex flex-col items-center px-6 py-10 text-center text-soft">
        <Icon name="bag" className="mb-3 size-8" />
        <p>{t('cart.empty')}</p>
      </Card>
    );
  }
  return (
    <Card className="p-5">
      <h2 className="text-lg font-bold">{t('cart.from', { name: cart.restaurant.name })}</h2>
      <CartLines />
      <p className="mt-4 flex justify-between border-t border-line pt-4 text-lg font-bold">
        <span>{t('cart.total')}</span>
        <span>{formatCents(cartTotal(cart), language)}</span>
      </p>
      <ButtonLink to="/checkout" size="large" className="mt-4 w-full">
        {t('cart.checkout')}
      </ButtonLink>
    </Card>
  );
}

export function CartLines() {
  const { language } = useI18n();
  const { cart, dispatch } = useCart();
  return (
    <ul className="mt-3 space-y-3">
      {cart.lines.map((line) => (
        <li key={line.menuItemId} className="flex items-center gap-3">
          <div className="min-w-0 flex-1">
            <p className="font-medium">{line.name}</p>
            <p className="text-sm text-soft">{formatCents(line.unitPrice * line.quantity, language)}</p>
          </div>
          <Quantity
            name={line.name}
            value={line.quantity}
            onChange={(quantity) => dispatch({ type: 'setQuantity', menuItemId: line.menuItemId, quantity })}
          />
        </li>
      ))}
    </ul>
  );
}
