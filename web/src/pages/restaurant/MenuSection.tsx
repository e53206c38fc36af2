import type { MenuItem } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Badge } from '@/components/Parts';
import { Quantity } from '@/components/Quantity';
import { useCart } from '@/context/CartContext';
import { useI18n } from '@/i18n/I18nContext';
import { formatCents, toCents } from '@/utils/money';

interface Props {
  anchor: string;
  title: string;
  items: MenuItem[];
  /** Null: nothing can be ordered here now. */
  onAdd: ((item: MenuItem) => void) | null;
}

export function MenuSection({ anchor, title, items, onAdd }: Props) {
  return (
    <section id={anchor} className="mb-9 scroll-mt-32">
      <h2 className="mb-3 text-2xl font-bold">{title}</h2>
      <ul className="divide-y divide-line rounded-card border border-line bg-surface shadow-card">
        {items.map((item) => (
          <Dish key={item.id} item={item} onAdd={onAdd} />
        ))}
      </ul>
    </section>
  );
}

function Dish({ item, onAdd }: { item: MenuItem; onAdd: Props['onAdd'] }) {
  const { t, language } = useI18n();
  const { cart, dispatch } = useCart();
  const quantity = cart.lines.find((line) => line.menuItemId === item.id)?.quantity ?? 0;
  return (
    <li className="flex items-center gap-4 p-4 sm:px-5">
      <div className={`min-w-0 flex-1 ${item.isAvailable ? '' : 'opacity-60'}`}>
        <h3 className="font-sans text-[17px] font-semibold">{item.name}</h3>
        {item.description && <p className="mt-0.5 text-[15px] text-soft">{item.description}</p>}
        <p className="mt-1.5 font-semibold">{formatCents(toCents(item.price), language)}</p>
      </div>
      {!item.isAvailable && <Badge>{t('menu.soldOut')}</Badge>}
      {item.isAvailable && onAdd && quantity === 0 && (
        <IconButton
          icon="plus"
          variant="brand"
          label={t('menu.add', { name: item.name })}
          onClick={() => onAdd(item)}
        />
      )}
      {item.isAvailable && onAdd && quantity > 0 && (
        <Quantity
          name={item.name}
          value={quantity}
          onChange={(next) => dispatch({ type: 'setQuantity', menuItemId: item.id, quantity: next })}
        />
      )}
    </li>
  );
}
