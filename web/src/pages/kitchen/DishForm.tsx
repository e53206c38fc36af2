import { useId, useState } from 'react';
import type { MenuItem } from '@/api/types';
import { Button } from '@/components/Button';
import { TextArea, TextField } from '@/components/Field';
import { FormError } from '@/components/FormError';
import { useForm } from '@/components/useForm';
import { useI18n } from '@/i18n/I18nContext';
import { useSaveDish } from '@/kitchen/queries';
import { fromCents, parsePrice, toCents } from '@/utils/money';

/** A dish to write or change. */
export function DishForm({
  restaurantId,
  item,
  categories,
  onDone,
}: {
  restaurantId: string;
  item: MenuItem | null;
  categories: string[];
  onDone: () => void;
}) {
  const { t } = useI18n();
  const save = useSaveDish(restaurantId);
  const list = useId();
  const [name, setName] = useState(item?.name ?? '');
  const [description, setDescription] = useState(item?.description ?? '');
  const [category, setCategory] = useState(item?.category ?? '');
  const [price, setPrice] = useState(item ? (toCents(item.price) / 100).toFixed(2) : '');
  const cents = parsePrice(price);

  const { busy, error, at, form } = useForm<'name' | 'description' | 'category' | 'price'>(
    async () => {
      if (cents === null) return;
      const fields = {
        name: name.trim(),
        description: description.trim(),
        category: category.trim(),
        price: fromCents(cents),
      };
      await save.mutateAsync({ id: item?.id ?? null, fields });
      onDone();
    },
    () => ({
      ...(name.trim() === '' && { name: t('field.required') }),
      ...(cents === null && { price: t('menu.priceWrong') }),
    }),
  );
  return (
    <form {...form} className="space-y-4">
      <FormError error={error && error.fields.size === 0 ? error : null} />
      <TextField
        label={t('menu.name')}
        name="name"
        value={name}
        onChange={(event) => setName(event.target.value)}
        error={at('name')}
      />
      <TextArea
        label={t('menu.description')}
        name="description"
        value={description}
        onChange={(event) => setDescription(event.target.value)}
        error={at('description')}
      />
      <div className="grid grid-cols-2 gap-4">
        <TextField
          label={t('menu.category')}
          name="category"
          list={list}
          value={category}
          onChange={(event) => setCategory(event.target.value)}
          error={at('category')}
        />
        <TextField
          label={t('menu.price')}
          name="price"
          inputMode="decimal"
          placeholder="12.50"
          value={price}
          onChange={(event) => setPrice(event.target.value)}
          error={at('price')}
        />
      </div>
      <datalist id={list}>
        {categories.map((known) => (
          <option key={known} value={known} />
        ))}
      </datalist>
      <Button type="submit" size="large" className="w-full" busy={busy}>
        {t('common.save')}
      </Button>
    </form>
  );
}
