import { useState } from 'react';
import type { Restaurant } from '@/api/types';
import { Button } from '@/components/Button';
import { SelectField } from '@/components/Field';
import { EmptyState, LoadError, Skeleton } from '@/components/Parts';
import { Switch } from '@/components/Switch';
import { Tabs } from '@/components/Tabs';
import { useToast } from '@/components/Toasts';
import { useErrorText } from '@/components/useErrorText';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';
import { useMyRestaurants, useSaveRestaurant } from '@/kitchen/queries';
import { useTitle } from '@/utils/useTitle';
import { MenuEditor } from './kitchen/MenuEditor';
import { OrderBoard } from './kitchen/OrderBoard';
import { RestaurantForm } from './kitchen/RestaurantForm';

const SELECTED_KEY = 'tiffin.kitchen';
type Tab = 'orders' | 'menu' | 'details';

export default function KitchenPage() {
  const { t } = useI18n();
  const { user } = useAuth();
  useTitle(t('nav.kitchen'));
  return user ? <Kitchens userId={user.id} /> : null;
}

function Kitchens({ userId }: { userId: string }) {
  const { t } = useI18n();
  const { user } = useAuth();
  const words = useErrorText();
  const mine = useMyRestaurants(user as NonNullable<typeof user>);
  const [selected, setSelected] = useState(() => localStorage.getItem(SELECTED_KEY));
  const [adding, setAdding] = useState(false);

  if (mine.isError && !mine.data)
    return <LoadError page message={words(mine.error)} onRetry={() => void mine.refetch()} />;
  if (!mine.data) return <Skeleton className="m-4 h-[60dvh]" />;
  const current = mine.data.find((one) => one.id === selected) ?? mine.data[0];
  const choose = (id: string) => {
    localStorage.setItem(SELECTED_KEY, id);
    setSelected(id);
    setAdding(false);
  };
  if (adding || !current) {
    return (
      <div className="mx-auto max-w-2xl px-4 py-8 sm:px-6">
        {!current && !adding ? (
          <EmptyState
            page
            icon="store"
            title={t('kitchen.none')}
            action={<Button onClick={() => setAdding(true)}>{t('kitchen.add')}</Button>}
          >
            {t('kitchen.noneHint')}
          </EmptyState>
        ) : (
          <>
            <h1 className="mb-6 text-3xl font-extrabold">{t('kitchen.add')}</h1>
            <RestaurantForm
              userId={userId}
              restaurant={null}
              onDone={(saved) => choose(saved.id)}
              onCancel={() => setAdding(false)}
            />
          </>
        )}
      </div>
    );
  }
  return (
    <div className="mx-auto max-w-6xl px-4 py-6 sm:px-6">
      <div className="flex flex-wrap items-end justify-between gap-4">
        {mine.data.length > 1 ? (
          <>
            <h1 className="sr-only">{t('nav.kitchen')}</h1>
            <SelectField
              label={t('kitchen.which')}
              value={current.id}
              onChange={(event) => choose(event.target.value)}
              className="min-w-64"
            >
              {mine.data.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name} · {one.city}
                </option>
              ))}
            </SelectField>
          </>
        ) : (
          <h1 className="text-3xl font-extrabold">{current.name}</h1>
        )}
        <div className="flex flex-wrap items-center gap-4">
          <OpenSwitch restaurant={current} userId={userId} />
          <Button look="secondary" size="small" icon="plus" onClick={() => setAdding(true)}>
            {t('kitchen.add')}
          </Button>
        </div>
      </div>
      <Kitchen key={current.id} restaurant={current} userId={userId} />
    </div>
  );
}

function Kitchen({ restaurant, userId }: { restaurant: Restaurant; userId: string }) {
  const { t } = useI18n();
  const toast = useToast();
  const [tab, setTab] = useState<Tab>('orders');
  return (
    <Tabs
      label={restaurant.name}
      value={tab}
      onChange={setTab}
      tabs={[
        { value: 'orders', label: t('kitchen.orders') },
        { value: 'menu', label: t('kitchen.menu') },
        { value: 'details', label: t('kitchen.details') },
      ]}
    >
      {tab === 'orders' && <OrderBoard restaurant={restaurant} />}
      {tab === 'menu' && <MenuEditor restaurantId={restaurant.id} />}
      {tab === 'details' && (
        <div className="max-w-2xl">
          <RestaurantForm
            userId={userId}
            restaurant={restaurant}
            onDone={() => toast({ tone: 'good', text: t('common.saved') })}
            onCancel={null}
          />
        </div>
      )}
    </Tabs>
  );
}

function OpenSwitch({ restaurant, userId }: { restaurant: Restaurant; userId: string }) {
  const { t } = useI18n();
  const toast = useToast();
  const words = useErrorText();
  const save = useSaveRestaurant(userId);
  return (
    <Switch
      label={t(restaurant.isActive ? 'kitchen.open' : 'kitchen.closed')}
      checked={restaurant.isActive}
      busy={save.isPending}
      onChange={(isActive) =>
        save.mutate(
          { id: restaurant.id, fields: { isActive } },
          { onError: (error) => toast({ tone: 'bad', text: words(error) }) },
        )
      }
    />
  );
}
