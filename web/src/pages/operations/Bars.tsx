import { Card } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';

/** Counts as bars. `muted` ones (finished, offline) are listed without setting the scale. */
export function Bars({ title, rows }: { title: string; rows: { label: string; value: number; muted: boolean }[] }) {
  const { language } = useI18n();
  const most = Math.max(1, ...rows.filter((row) => !row.muted).map((row) => row.value));
  return (
    <Card className="p-5">
      <h2 className="mb-3 text-lg font-bold">{title}</h2>
      <dl className="space-y-1.5">
        {rows.map(({ label, value, muted }) => (
          <div key={label} className="grid grid-cols-[7.5rem_1fr_4rem] items-center gap-3 text-[15px]">
            <dt className={muted ? 'text-soft' : ''}>{label}</dt>
            <dd className="col-start-3 row-start-1 text-right font-semibold tabular-nums">
              {new Intl.NumberFormat(language).format(value)}
            </dd>
            <dd aria-hidden="true" className="col-start-2 row-start-1 h-2 overflow-hidden rounded-full bg-sunken">
              {!muted && (
                <span
                  className="block h-full rounded-full bg-leaf transition-[width]"
                  style={{ width: `${(value / most) * 100}%` }}
                />
              )}
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
