import { useState } from 'react';
import { useMenu } from '@/api/queries';
import type { MenuItem } from '@/api/types';
import { Button, IconButton } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { Card, EmptyState, LoadError, Skeleton } from '@/components/Parts';
import { Switch } from '@/components/Switch';
import { useToast } from '@/components/Toasts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { useDeleteDish, useSaveDish } from '@/kitchen/queries';
import { formatCents, toCents } from '@/utils/money';
import { DishForm } from './DishForm';

export function MenuEditor({ restaurantId }: { restaurantId: string }) {
  const { t } = useI18n();
  const words = useErrorText();
  const menu = useMenu(restaurantId);
  const [edited, setEdited] = useState<MenuItem | 'new' | null>(null);

  if (menu.isError && !menu.data) return <LoadError message={words(menu.error)} onRetry={() => void menu.refetch()} />;
  if (!menu.data) return <Skeleton className="h-96" />;
  const categories = [...new Set(menu.data.map((item) => item.category))];
  const add = (
    <Button icon="plus" onClick={() => setEdited('new')}>
      {t('menu.new')}
    </Button>
  );
  return (
    <div className="max-w-3xl">
      {menu.data.length === 0 ? (
        <EmptyState icon="pot" title={t('menu.empty')} action={add}>
          {t('menu.emptyHint')}
        </EmptyState>
      ) : (
        <>
          {add}
          {categories.map((category) => (
            <section key={category} className="mt-7">
              <h2 className="mb-3 text-xl font-bold">{category || t('menu.other')}</h2>
              <Card>
                <ul className="divide-y divide-line">
                  {menu.data
                    .filter((item) => item.category === category)
                    .map((item) => (
                      <Row key={item.id} item={item} onEdit={() => setEdited(item)} />
                    ))}
                </ul>
              </Card>
            </section>
          ))}
        </>
      )}
      <Dialog
        title={t(edited === 'new' ? 'menu.new' : 'menu.edit')}
        open={edited !== null}
        onClose={() => setEdited(null)}
      >
        {edited !== null && (
          <DishForm
            restaurantId={restaurantId}
            item={edited === 'new' ? null : edited}
            categories={categories}
            onDone={() => setEdited(null)}
          />
        )}
      </Dialog>
    </div>
  );
}

function Row({ item, onEdit }: { item: MenuItem; onEdit: () => void }) {
  const { t, language } = useI18n();
  const toast = useToast();
  const words = useErrorText();
  const save = useSaveDish(item.restaurantId);
  const remove = useDeleteDish(item.restaurantId);
  const [asking, setAsking] = useState(false);
  const onError = (error: unknown) => toast({ tone: 'bad', text: words(error) });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 p-4">
      <div className="min-w-40 flex-1">
        <h3 className="font-sans font-semibold">{item.name}</h3>
        <p className="text-sm text-soft">{item.description}</p>
      </div>
      <span className="font-semibold tabular-nums">{formatCents(toCents(item.price), language)}</span>
      <Switch
        label={t(item.isAvailable ? 'menu.available' : 'menu.soldOut')}
        checked={item.isAvailable}
        busy={save.isPending}
        onChange={(isAvailable) => save.mutate({ id: item.id, fields: { isAvailable } }, { onError })}
      />
      <span className="flex">
        <IconButton icon="pencil" label={t('menu.editName', { name: item.name })} onClick={onEdit} />
        <IconButton icon="trash" label={t('menu.deleteName', { name: item.name })} onClick={() => setAsking(true)} />
      </span>
      <Dialog title={t('menu.deleteTitle', { name: item.name })} open={asking} onClose={() => setAsking(false)}>
        <p className="text-soft">{t('menu.deleteText')}</p>
        <div className="mt-6 flex justify-end gap-3">
          <Button look="secondary" onClick={() => setAsking(false)}>
            {t('common.cancel')}
          </Button>
          <Button
            look="danger"
            busy={remove.isPending}
            onClick={() => remove.mutate(item.id, { onError, onSettled: () => setAsking(false) })}
          >
            {t('menu.delete')}
          </Button>
        </div>
      </Dialog>
    </li>
  );
}
