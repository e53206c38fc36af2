import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { Link } from 'react-router';
import { useHistory, useOrder, useTracking } from '@/api/queries';
import type { Transition } from '@/api/types';
import { Button } from '@/components/Button';
import { CONTROL } from '@/components/Field';
import { Card, Skeleton, StatusBadge } from '@/components/Parts';
import { useErrorText } from '@/components/useErrorText';
import { useI18n } from '@/i18n/I18nContext';
import { useOffers } from '@/operations/queries';
import { type OfferWord, tellStory } from '@/operations/story';
import { formatCents, toCents } from '@/utils/money';
import { formatInstant } from '@/utils/time';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An order's whole story by its id: who moved it, who was asked to carry it, when, and why. */
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
  const offers = useOffers(id);
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
        {tellStory(history.data ?? [], offers.data ?? []).map((chapter) =>
          chapter.kind === 'transition' ? (
            <Step key={chapter.at + chapter.step.to} step={chapter.step} />
          ) : (
            <Asked key={`${chapter.seq}${chapter.word}`} {...chapter} />
          ),
        )}
      </ol>
    </div>
  );
}

function Step({ step }: { step: Transition }) {
  const { t } = useI18n();
  return (
    <Entry
      at={step.at}
      tone="bg-leaf"
      title={`${step.from ? `${t(`status.${step.from}`)} → ` : ''}${t(`status.${step.to}`)}`}
      actor={step.actorRole}
      who={step.actorId}
    >
      {step.reason && <p className="text-sm">“{step.reason}”</p>}
    </Entry>
  );
}

const ANSWERS: Record<OfferWord, string> = {
  offered: 'bg-sky',
  accepted: 'bg-sky',
  declined: 'bg-turmeric',
  expired: 'bg-turmeric',
  withdrawn: 'bg-turmeric',
};

function Asked({ at, word, partnerId }: { at: string; word: OfferWord; partnerId: string }) {
  const { t } = useI18n();
  return <Entry at={at} tone={ANSWERS[word]} title={t(`offer.${word}`)} actor="delivery_partner" who={partnerId} />;
}

interface EntryProps {
  at: string;
  tone: string;
  title: string;
  actor: string;
  who: string;
  children?: ReactNode;
}

function Entry({ at, tone, title, actor, who, children }: EntryProps) {
  const { t, language } = useI18n();
  return (
    <li className="relative">
      <span className={`absolute top-1.5 -left-[21.5px] size-2.5 rounded-full ${tone}`} aria-hidden="true" />
      <p className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="font-semibold">{title}</span>
        <time dateTime={at} className="text-sm text-soft tabular-nums">
          {formatInstant(at, language)}
        </time>
      </p>
      <p className="text-sm text-soft">
        {actorName(actor, t)} <span className="font-mono break-all">{who}</span>
      </p>
      {children}
    </li>
  );
}

const ROLES = ['customer', 'restaurant_owner', 'delivery_partner', 'admin'] as const;

// Besides people there are the operator and the system itself, which have no page and no name in any language.
function actorName(actor: string, t: ReturnType<typeof useI18n>['t']): string {
  const role = ROLES.find((one) => one === actor);
  return role ? t(`role.${role}`) : actor;
}
