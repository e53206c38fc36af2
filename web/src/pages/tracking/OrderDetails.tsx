import type { ReactNode } from 'react';
import type { Order, Restaurant } from '@/api/types';
import { Icon, type IconName } from '@/components/Icon';
import { useI18n } from '@/i18n/I18nContext';
import { formatCents, toCents } from '@/utils/money';

export function OrderDetails({ order, restaurant }: { order: Order; restaurant: Restaurant | null }) {
  const { t, language } = useI18n();
  return (
    <div className="mt-7 space-y-5 border-t border-line pt-6">
      {restaurant && (
        <Place icon="store" label={t('tracking.from')}>
          <span className="font-semibold">{restaurant.name}</span>
          <br />
          {restaurant.address}
        </Place>
      )}
      <Place icon="home" label={t('tracking.to')}>
        {order.deliveryAddress}
        <br />
        <span className="text-soft">{order.city}</span>
      </Place>
      <div>
        <h2 className="mb-2 text-lg font-bold">{t('tracking.items')}</h2>
        <ul className="space-y-1.5">
          {order.items.map((item) => (
            <li key={item.menuItemId} className="flex justify-between gap-4">
              <span>
                <span className="text-soft tabular-nums">{item.quantity} ×</span> {item.name}
              </span>
              <span className="tabular-nums">{formatCents(toCents(item.unitPrice) * item.quantity, language)}</span>
            </li>
          ))}
        </ul>
        <p className="mt-3 flex justify-between border-t border-line pt-3 font-bold">
          <span>{t('cart.total')}</span>
          <span className="tabular-nums">{formatCents(toCents(order.totalAmount), language)}</span>
        </p>
      </div>
      <p className="text-xs break-all text-soft">{t('tracking.orderId', { id: order.id })}</p>
    </div>
  );
}

export function Place({ icon, label, children }: { icon: IconName; label: string; children: ReactNode }) {
  return (
    <div className="flex gap-3.5">
      <span className="grid size-9 shrink-0 place-items-center rounded-full bg-sunken">
        <Icon name={icon} className="size-[18px]" />
      </span>
      <div>
        <p className="text-sm text-soft">{label}</p>
        <p className="leading-snug">{children}</p>
      </div>
    </div>
  );
}
