import type { ReactNode } from 'react';
import type { OrderStatus } from '@/api/types';
import { useI18n } from '@/i18n/I18nContext';
import { Button } from './Button';
import { Icon, type IconName } from './Icon';

export function Card({ className = '', children }: { className?: string; children: ReactNode }) {
  return <div className={`rounded-card border border-line bg-surface shadow-card ${className}`}>{children}</div>;
}

const TONES = {
  neutral: 'bg-sunken text-ink',
  brand: 'bg-brand-tint text-brand-strong',
  turmeric: 'bg-turmeric-tint text-turmeric-ink',
  leaf: 'bg-leaf-tint text-leaf-ink',
  sky: 'bg-sky-tint text-sky-ink',
  danger: 'bg-danger-tint text-danger',
} as const;
export type Tone = keyof typeof TONES;

export function Badge({ tone = 'neutral', icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-1 text-[13px] leading-none font-semibold whitespace-nowrap ${TONES[tone]}`}
    >
      {icon && <Icon name={icon} className="size-3.5" />}
      {children}
    </span>
  );
}

const STATUS: Record<OrderStatus, { tone: Tone; icon: IconName }> = {
  pending: { tone: 'turmeric', icon: 'clock' },
  confirmed: { tone: 'sky', icon: 'check' },
  preparing: { tone: 'sky', icon: 'pot' },
  ready: { tone: 'sky', icon: 'bag' },
  picked_up: { tone: 'leaf', icon: 'scooter' },
  delivered: { tone: 'leaf', icon: 'check' },
  rejected: { tone: 'danger', icon: 'close' },
  expired: { tone: 'danger', icon: 'clock' },
  cancelled: { tone: 'neutral', icon: 'close' },
  failed: { tone: 'danger', icon: 'alert' },
};

export function StatusBadge({ status }: { status: OrderStatus }) {
  const { t } = useI18n();
  return (
    <Badge tone={STATUS[status].tone} icon={STATUS[status].icon}>
      {t(`status.${status}`)}
    </Badge>
  );
}

export function statusIcon(status: OrderStatus): IconName {
  return STATUS[status].icon;
}

export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={`animate-pulse rounded-xl bg-sunken ${className}`} />;
}

export function EmptyState({
  icon,
  title,
  children,
  action,
  page = false,
}: {
  icon: IconName;
  title: string;
  /** It is all there is on the page: the title is the page's heading. */
  page?: boolean;
  children?: ReactNode;
  action?: ReactNode;
}) {
  const Heading = page ? 'h1' : 'h2';
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center px-4 py-14 text-center">
      <span className="mb-5 grid size-16 place-items-center rounded-full bg-turmeric-tint text-turmeric-ink">
        <Icon name={icon} className="size-7" />
      </span>
      <Heading className="text-xl font-bold">{title}</Heading>
      {children && <p className="mt-2 text-soft">{children}</p>}
      {action && <div className="mt-6">{action}</div>}
    </div>
  );
}

/** Something could not be loaded: says why, and offers to try again. */
export function LoadError({
  message,
  onRetry,
  page = false,
}: {
  message: string;
  onRetry: () => void;
  page?: boolean;
}) {
  const { t } = useI18n();
  return (
    <div role="alert">
      <EmptyState
        icon="alert"
        page={page}
        title={t('error.title')}
        action={
          <Button look="secondary" onClick={onRetry}>
            {t('common.retry')}
          </Button>
        }
      >
        {message}
      </EmptyState>
    </div>
  );
}

export function Rating({ value }: { value: number | null | undefined }) {
  const { t, language } = useI18n();
  if (!value) return <Badge tone="turmeric">{t('restaurant.new')}</Badge>;
  const text = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
  return (
    <span className="inline-flex items-center gap-1 text-sm font-semibold">
      <Icon name="star" filled className="size-4 text-turmeric" />
      <span className="sr-only">{t('restaurant.rating')}</span>
      {text}
    </span>
  );
}
