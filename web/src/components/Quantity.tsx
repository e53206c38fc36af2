import { useI18n } from '@/i18n/I18nContext';
import { IconButton } from './Button';

/** How many of something; down to none removes it. */
export function Quantity({ name, value, onChange }: { name: string; value: number; onChange: (next: number) => void }) {
  const { t } = useI18n();
  return (
    <fieldset className="flex items-center rounded-full bg-sunken">
      <legend className="sr-only">{t('cart.quantity', { name })}</legend>
      <IconButton
        icon={value === 1 ? 'trash' : 'minus'}
        label={t('cart.less', { name })}
        onClick={() => onChange(value - 1)}
        className="hover:bg-line"
      />
      <output className="min-w-6 text-center font-semibold tabular-nums" aria-live="polite">
        {value}
      </output>
      <IconButton
        icon="plus"
        label={t('cart.more', { name })}
        onClick={() => onChange(value + 1)}
        className="hover:bg-line"
      />
    </fieldset>
  );
}
