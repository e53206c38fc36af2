import type { Endpoint, Service } from '@/api/types';
import { Card } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';

/** Every service by name; its verbs, summed over its instances, open beneath. */
export function Services({ services }: { services: Service[] }) {
  const { t } = useI18n();
  return (
    <Card className="overflow-hidden">
      <h2 className="px-5 pt-5 pb-3 text-lg font-bold">{t('ops.services')}</h2>
      <div className="border-t border-line">
        {services.map((service) => (
          <ServiceRow key={service.name} service={service} />
        ))}
      </div>
    </Card>
  );
}

const ROW =
  'grid grid-cols-[1fr_5.5rem_5.5rem_5.5rem] items-baseline gap-2 px-5 tabular-nums max-sm:grid-cols-[1fr_4rem_4rem_4.5rem]';

function ServiceRow({ service }: { service: Service }) {
  const { t, language } = useI18n();
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  const endpoints = summed(service);
  const requests = endpoints.reduce((sum, one) => sum + one.requests, 0);
  const errors = endpoints.reduce((sum, one) => sum + one.errors, 0);
  const busy = endpoints.reduce((sum, one) => sum + one.averageMs * one.requests, 0);
  const versions = [...new Set(service.instances.map((one) => one.version))].join(', ');
  return (
    <details className="group border-b border-line last:border-0">
      <summary className={`${ROW} list-none py-3 hover:bg-sunken`}>
        <span>
          <span className="font-semibold">{service.name}</span>{' '}
          <span className="text-sm text-soft">
            {versions} · {t('ops.instances', { count: service.instances.length })}
          </span>
        </span>
        <Cell label={t('ops.requests')}>{number(requests)}</Cell>
        <Cell label={t('ops.errors')} bad={errors > 0}>
          {number(errors)}
        </Cell>
        <Cell label={t('ops.average')}>{number(requests ? busy / requests : 0, 1)} ms</Cell>
      </summary>
      <ul className="bg-sunken/60 py-2 text-sm">
        {endpoints.map((endpoint) => (
          <li key={endpoint.name} className={`${ROW} py-1`}>
            <span className="truncate text-soft">{endpoint.name}</span>
            <span className="text-right">{number(endpoint.requests)}</span>
            <span className={`text-right ${endpoint.errors > 0 ? 'font-semibold text-danger' : ''}`}>
              {number(endpoint.errors)}
            </span>
            <span className="text-right">{number(endpoint.averageMs, 1)} ms</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Cell({ label, bad = false, children }: { label: string; bad?: boolean; children: React.ReactNode }) {
  return (
    <span className="text-right">
      <span className="block text-xs text-soft">{label}</span>
      <span className={`font-semibold ${bad ? 'text-danger' : ''}`}>{children}</span>
    </span>
  );
}

/** One row a verb over all instances; the average is weighted by requests. */
export function summed(service: Service): Endpoint[] {
  const byName = new Map<string, Endpoint>();
  for (const endpoint of service.instances.flatMap((instance) => instance.endpoints ?? [])) {
    const before = byName.get(endpoint.name) ?? { name: endpoint.name, requests: 0, errors: 0, averageMs: 0 };
    const requests = before.requests + endpoint.requests;
    const busy = before.averageMs * before.requests + endpoint.averageMs * endpoint.requests;
    byName.set(endpoint.name, {
      name: endpoint.name,
      requests,
      errors: before.errors + endpoint.errors,
      averageMs: requests ? busy / requests : 0,
    });
  }
  return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name));
}
