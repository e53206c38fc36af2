import { type FormEvent, useEffect, useState } from 'react';
import { Link } from 'react-router';
import { useHistory, useOrder, useTracking } from '@/api/queries';
import type { Transition } from '@/api/types';
import { Button } from '@/components/Button';
import { CONTROL } from '@/components/Field';
import { Card, Skeleton, StatusBadge } from '@/components/Parts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { formatCents, toCents } from '@/utils/money';
import { formatMoment } from '@/utils/time';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An order's whole story by its id: who moved it, when, from where to where, and why. */
export function OrderSearch({ id, onSearch }: { id: string; onSearch: (id: string) => void }) {
  const { t } = useI18n();
  const [text, setText] = useState(id);
  useEffect(() => setText(id), [id]);
  const valid = UUID.test(text.trim());
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (valid) onSearch(text.trim());
  };
  return (
    <Card className="p-5">
      <h2 className="mb-3 text-lg font-bold">{t('ops.story')}</h2>
      <form onSubmit={onSubmit} className="flex gap-2">
        <input
          aria-label={t('ops.storyId')}
          placeholder={t('ops.storyId')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-invalid={text !== '' && !valid ? true : undefined}
          className={`${CONTROL} h-11 font-mono text-sm`}
        />
        <Button type="submit" disabled={!valid}>
          {t('ops.find')}
        </Button>
      </form>
      {id && <Story key={id} id={id} />}
    </Card>
  );
}

function Story({ id }: { id: string }) {
  const { t, language } = useI18n();
  const words = useErrorText();
  const order = useOrder(id);
  const history = useHistory(id);
  const tracking = useTracking(id);
  if (order.isPending) return <Skeleton className="mt-4 h-40" />;
  if (order.isError) return <p className="mt-4 text-danger">{words(order.error)}</p>;
  const { data } = order;
  return (
    <div className="mt-5">
      <div className="flex flex-wrap items-center gap-3">
        <StatusBadge status={data.status} />
        <span className="font-semibold">{data.city}</span>
        <span>{formatCents(toCents(data.totalAmount), language)}</span>
        <Link to={`/track/${id}`} className="ml-auto font-semibold text-brand underline underline-offset-4">
          {t('ops.follow')}
        </Link>
      </div>
      <dl className="mt-3 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
        <dt className="text-soft">{t('role.customer')}</dt>
        <dd className="font-mono break-all">{data.customerId}</dd>
        <dt className="text-soft">{t('role.delivery_partner')}</dt>
        <dd className="font-mono break-all">{data.deliveryPartnerId ?? '–'}</dd>
        <dt className="text-soft">{t('ops.seq')}</dt>
        <dd className="tabular-nums">{tracking.data?.seq ?? '–'}</dd>
      </dl>
      <ol className="mt-4 space-y-3 border-l-2 border-line pl-4">
        {(history.data ?? []).map((step) => (
          <Step key={step.at + step.to} step={step} />
        ))}
      </ol>
    </div>
  );
}

function Step({ step }: { step: Transition }) {
  const { t, language } = useI18n();
  return (
    <li className="relative">
      <span className="absolute top-1.5 -left-[21.5px] size-2.5 rounded-full bg-leaf" aria-hidden="true" />
      <p className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="font-semibold">
          {step.from ? `${t(`status.${step.from}`)} → ` : ''}
          {t(`status.${step.to}`)}
        </span>
        <time dateTime={step.at} className="text-sm text-soft tabular-nums">
          {formatMoment(step.at, language)}
        </time>
      </p>
      <p className="text-sm text-soft">
        {step.actorRole} <span className="font-mono break-all">{step.actorId}</span>
      </p>
      {step.reason && <p className="text-sm">“{step.reason}”</p>}
    </li>
  );
}
