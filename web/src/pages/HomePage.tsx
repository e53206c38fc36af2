import { useSearchParams } from 'react-router';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';
import { OrdersTab } from './home/OrdersTab';
import { RestaurantsTab } from './home/RestaurantsTab';

const TABS = ['restaurants', 'orders'] as const;

/** The main dashboard: restaurants to order from, and one's own orders. The tab is part of the address. */
export function HomePage() {
  const { t } = useI18n();
  const { user } = useAuth();
  const [params, setParams] = useSearchParams();
  const tab = params.get('tab') === 'orders' ? 'orders' : 'restaurants';
  const shown = !user || user.role === 'customer' ? TABS : TABS.slice(0, 1);

  return (
    <div className="mx-auto max-w-6xl px-4 sm:px-6">
      {shown.length > 1 && (
        <div role="tablist" aria-label={t('home.tabs')} className="mt-5 inline-flex rounded-full bg-sunken p-1">
          {shown.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={tab === name}
              aria-controls="home-panel"
              tabIndex={tab === name ? 0 : -1}
              onClick={() => setParams(name === 'orders' ? { tab: 'orders' } : {})}
              onKeyDown={(event) => {
                if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
                const other = name === 'orders' ? 'restaurants' : 'orders';
                setParams(other === 'orders' ? { tab: 'orders' } : {});
                document.getElementById(`tab-${other}`)?.focus();
              }}
              className="rounded-full px-5 py-2 text-[15px] font-semibold text-soft aria-selected:bg-surface aria-selected:text-ink aria-selected:shadow-card"
            >
              {t(`nav.${name}`)}
            </button>
          ))}
        </div>
      )}
      <div id="home-panel" role={shown.length > 1 ? 'tabpanel' : undefined} aria-labelledby={shown.length > 1 ? `tab-${tab}` : undefined}>
        {tab === 'orders' ? <OrdersTab /> : <RestaurantsTab />}
      </div>
    </div>
  );
}
