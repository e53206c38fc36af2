import type { Overview } from '@/api/types';
import { Badge, Card } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';

export function Shards({ overview }: { overview: Overview }) {
  const { t, language } = useI18n();
  const { bridge } = overview;
  return (
    <Card className="p-5">
      <h2 className="mb-3 text-lg font-bold">{t('ops.shards')}</h2>
      <ul className="space-y-2">
        {overview.shards.map((shard) => (
          <li key={shard.id} className="flex items-center justify-between gap-3">
            <span>
              <span className="font-semibold uppercase">{shard.id}</span>{' '}
              <span className="text-sm text-soft">{shard.regions.join(', ')}</span>
            </span>
            <Badge tone={shard.healthy ? 'leaf' : 'danger'} icon={shard.healthy ? 'check' : 'alert'}>
              {t(shard.healthy ? 'ops.up' : 'ops.down')}
            </Badge>
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
