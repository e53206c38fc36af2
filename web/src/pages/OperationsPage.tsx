import { useState } from 'react';
import type { OrderStatus, Overview } from '@/api/types';
import { Badge, Card, LoadError, Skeleton } from '@/components/Parts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { useOverview } from '@/operations/queries';
import { isEnded } from '@/tracking/feed';
import { formatAgo } from '@/utils/time';
import { useNow } from '@/utils/useNow';
import { useTitle } from '@/utils/useTitle';
import { Bars } from './operations/Bars';
import { OrderMap } from './operations/OrderMap';
import { OrderSearch } from './operations/OrderSearch';
import { Services } from './operations/Services';
import { Shards } from './operations/Shards';
import { Stuck } from './operations/Stuck';

export default function OperationsPage() {
  const { t } = useI18n();
  const words = useErrorText();
  const overview = useOverview();
  useTitle(t('nav.operations'));
  if (overview.isError && !overview.data)
    return <LoadError page message={words(overview.error)} onRetry={() => void overview.refetch()} />;
  if (!overview.data) return <Skeleton className="m-4 h-[70dvh]" />;
  return <Board overview={overview.data} stale={overview.isError} />;
}

function Board({ overview, stale }: { overview: Overview; stale: boolean }) {
  const { t } = useI18n();
  const [story, setStory] = useState('');
  return (
    <div className="mx-auto max-w-[1400px] px-4 py-6 sm:px-6">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="text-3xl font-extrabold">{t('nav.operations')}</h1>
        <Badge
          tone={overview.readiness.status === 'ok' ? 'leaf' : 'turmeric'}
          icon={overview.readiness.status === 'ok' ? 'check' : 'alert'}
        >
          {t(overview.readiness.status === 'ok' ? 'ops.ok' : 'ops.degraded')}
        </Badge>
        <Freshness at={overview.at} stale={stale} />
      </div>
      {overview.unavailable.length > 0 && (
        <p role="alert" className="mt-4 rounded-xl bg-turmeric-tint px-4 py-3 font-medium text-turmeric-ink">
          {t('ops.unavailable', { parts: overview.unavailable.join(', ') })}
        </p>
      )}
      <Figures overview={overview} />
      <div className="mt-6 grid gap-6 lg:grid-cols-[minmax(0,1fr)_380px]">
        <OrderMap onOpen={setStory} />
        <div className="space-y-6">
          {overview.orders && <Bars title={t('ops.orders')} rows={orderRows(overview, t)} />}
          {overview.riders && <Bars title={t('ops.riders')} rows={riderRows(overview, t)} />}
        </div>
      </div>
      <div className="mt-6 grid gap-6 lg:grid-cols-[minmax(0,1fr)_380px]">
        <Services services={overview.services} />
        <div className="space-y-6">
          <Shards overview={overview} />
          <Checks overview={overview} />
        </div>
      </div>
      <div className="mt-6 grid items-start gap-6 lg:grid-cols-2">
        <Stuck overview={overview} onOpen={setStory} />
        <OrderSearch id={story} onSearch={setStory} />
      </div>
    </div>
  );
}

function Freshness({ at, stale }: { at: string; stale: boolean }) {
  const { t, language } = useI18n();
  const now = useNow(1000);
  return (
    <p className={`text-sm ${stale ? 'font-semibold text-danger' : 'text-soft'}`}>
      {t('ops.asOf', { ago: formatAgo(Date.parse(at), now, language) })}
    </p>
  );
}

function Figures({ overview }: { overview: Overview }) {
  const { t, language } = useI18n();
  const number = (value: number | null | undefined) =>
    value === null || value === undefined ? '–' : new Intl.NumberFormat(language).format(value);
  const counts = overview.orders?.orders;
  const open =
    counts && ORDER_STATES.filter((state) => !isEnded(state)).reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const figures = [
    { label: t('ops.open'), value: number(open), bad: false },
    { label: t('ops.stuck'), value: number(overview.orders?.stuckTotal), bad: (overview.orders?.stuckTotal ?? 0) > 0 },
    { label: t('ops.waiting'), value: number(overview.riders?.waitingOrders), bad: false },
    { label: t('ops.lag'), value: number(overview.bridge?.lag), bad: (overview.bridge?.oldestSeconds ?? 0) > 30 },
    {
      label: t('ops.dead'),
      value: number(overview.bridge?.deadLettered),
      bad: (overview.bridge?.deadLettered ?? 0) > 0,
    },
    { label: t('ops.sockets'), value: number(overview.sockets?.total), bad: false },
  ];
  return (
    <Card className="mt-5">
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-card bg-line sm:grid-cols-3 lg:grid-cols-6">
        {figures.map(({ label, value, bad }) => (
          <div key={label} className="flex flex-col-reverse bg-surface px-5 py-4">
            <dt className="text-sm text-soft">{label}</dt>
            <dd className={`font-display text-3xl font-bold tabular-nums ${bad ? 'text-danger' : ''}`}>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Checks({ overview }: { overview: Overview }) {
  const { t } = useI18n();
  const checks = Object.entries(overview.readiness.checks).sort(([a], [b]) => a.localeCompare(b));
  return (
    <Card className="p-5">
      <h2 className="mb-3 text-lg font-bold">{t('ops.checks')}</h2>
      <ul className="flex flex-wrap gap-2">
        {checks.map(([name, check]) => (
          <li key={name}>
            <Badge tone={check.status === 'ok' ? 'leaf' : 'danger'} icon={check.status === 'ok' ? 'check' : 'alert'}>
              {name}
              {check.error ? `: ${check.error}` : ''}
            </Badge>
          </li>
        ))}
      </ul>
    </Card>
  );
}

type Translate = ReturnType<typeof useI18n>['t'];
const ORDER_STATES: OrderStatus[] = [
  'pending',
  'confirmed',
  'preparing',
  'ready',
  'picked_up',
  'delivered',
  'cancelled',
  'rejected',
  'expired',
  'failed',
];
const RIDER_STATES = ['free', 'offered', 'carrying', 'silent', 'offline'] as const;

function orderRows(overview: Overview, t: Translate) {
  return ORDER_STATES.map((status) => ({
    label: t(`status.${status}`),
    value: overview.orders?.orders[status] ?? 0,
    muted: isEnded(status),
  }));
}

function riderRows(overview: Overview, t: Translate) {
  return RIDER_STATES.map((state) => ({
    label: t(`riders.${state}`),
    value: overview.riders?.riders[state] ?? 0,
    muted: state === 'offline',
  }));
}
