import { useSearchParams } from 'react-router';
import { Tabs } from '@/components/Tabs';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';
import { OrdersTab } from './home/OrdersTab';
import { RestaurantsTab } from './home/RestaurantsTab';

/** The main dashboard: restaurants to order from, and one's own orders. The tab is part of the address. */
export function HomePage() {
  const { t } = useI18n();
  const { user } = useAuth();
  const [params, setParams] = useSearchParams();
  const eats = !user || user.role === 'customer';
  const tab = eats && params.get('tab') === 'orders' ? 'orders' : 'restaurants';
  return (
    <div className="mx-auto max-w-6xl px-4 sm:px-6">
      {eats ? (
        <Tabs
          label={t('home.tabs')}
          // On a phone the bar under the thumb has the same two.
          barClassName="max-sm:hidden"
          value={tab}
          onChange={(next) => setParams(next === 'orders' ? { tab: next } : {})}
          tabs={[
            { value: 'restaurants', label: t('nav.restaurants') },
            { value: 'orders', label: t('nav.orders') },
          ]}
        >
          {tab === 'orders' ? <OrdersTab /> : <RestaurantsTab />}
        </Tabs>
      ) : (
        <RestaurantsTab />
      )}
    </div>
  );
}
