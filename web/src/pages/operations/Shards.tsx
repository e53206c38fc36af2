import type { OrderStatus, Overview } from '@/api/types';
import { Badge, Card } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';

export function Shards({ overview }: { overview: Overview }) {
  const { t, language } = useI18n();
  const { bridge } = overview;
  return (
    <Card className="p-5">
      <h2 className="mb-3 text-lg font-bold">{t('ops.shards')}</h2>
      <ul className="space-y-3">
        {overview.shards.map((shard) => (
          <li key={shard.id} className="border-b border-line pb-3 last:border-0 last:pb-0">
            <div className="flex items-center justify-between gap-3">
              <span>
                <span className="font-semibold uppercase">{shard.id}</span>{' '}
                <span className="text-sm text-soft">{shard.regions.join(', ')}</span>
              </span>
              <Badge tone={shard.healthy ? 'leaf' : 'danger'} icon={shard.healthy ? 'check' : 'alert'}>
                {t(shard.healthy ? 'ops.up' : 'ops.down')}
              </Badge>
            </div>
            <Counts figures={overview.orders?.shards[shard.id]} />
          </li>
        ))}
      </ul>
      {bridge && (
        <p className="mt-4 flex items-center justify-between gap-3 border-t border-line pt-4">
          <span>
            <span className="font-semibold">{t('ops.bridge')}</span>{' '}
            <span className="text-sm text-soft">{t('ops.relayed', { count: bridge.relayed })}</span>
          </span>
          <Badge tone={bridge.connected ? 'leaf' : 'danger'} icon={bridge.connected ? 'check' : 'alert'}>
            {bridge.lag > 0
              ? t('ops.oldest', {
                  seconds: new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(bridge.oldestSeconds),
                })
              : t(bridge.connected ? 'ops.up' : 'ops.down')}
          </Badge>
        </p>
      )}
    </Card>
  );
}

type Figures = NonNullable<Overview['orders']>['shards'][string];

/** How many orders of a shard are in which state; those without any are left out. */
function Counts({ figures }: { figures: Figures | undefined }) {
  const { t, language } = useI18n();
  if (!figures) return null;
  const counts = (Object.entries(figures.orders) as [OrderStatus, number][]).filter(([, count]) => count > 0);
  const number = (count: number) => new Intl.NumberFormat(language).format(count);
  if (counts.length === 0) return <p className="mt-1.5 text-sm text-soft">{t('ops.noOrders')}</p>;
  return (
    <dl className="mt-1.5 flex flex-wrap gap-x-4 gap-y-1 text-sm">
      {counts.map(([status, count]) => (
        <div key={status} className="flex gap-1.5">
          <dt className="text-soft">{t(`status.${status}`)}</dt>
          <dd className="font-semibold tabular-nums">{number(count)}</dd>
        </div>
      ))}
      {figures.stuckTotal > 0 && (
        <div className="font-semibold text-danger">{t('ops.shardStuck', { count: figures.stuckTotal })}</div>
      )}
    </dl>
  );
}
