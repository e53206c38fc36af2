import { Icon } from '@/components/Icon';
import { Card } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';
import type { Source } from '@/rider/usePosition';
import type { Report } from '@/rider/useReporter';

/** Where this rider's position comes from, and whether it arrives. */
export function PositionSource({
  source,
  failed,
  report,
  onChange,
}: {
  source: Source;
  failed: boolean;
  report: Report;
  onChange: (source: Source) => void;
}) {
  const { t } = useI18n();
  return (
    <Card className="p-4">
      <fieldset>
        <legend className="float-left mr-auto text-sm font-semibold">{t('position.title')}</legend>
        <p role="status" className="float-right flex items-center gap-1.5 text-sm text-soft">
          <Icon name="signal" className="size-4" />
          {t(failed ? 'position.failed' : `position.${report}`)}
        </p>
        <div className="clear-both h-2.5" />
        <div className="grid grid-cols-2 gap-1 rounded-full bg-sunken p-1">
          {(['device', 'simulated'] as const).map((name) => (
            <label
              key={name}
              className="cursor-pointer rounded-full px-3 py-1.5 text-center text-sm font-semibold text-soft has-checked:bg-surface has-checked:text-ink has-checked:shadow-card has-focus-visible:outline-3 has-focus-visible:outline-sky"
            >
              <input
                type="radio"
                name="source"
                className="sr-only"
                checked={source === name}
                onChange={() => onChange(name)}
              />
              {t(`position.source.${name}`)}
            </label>
          ))}
        </div>
      </fieldset>
    </Card>
  );
}
