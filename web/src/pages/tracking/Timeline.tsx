import type { OrderStatus, Transition } from '@/api/types';
import { Icon } from '@/components/Icon';
import { statusIcon } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';
import { isEnded } from '@/tracking/feed';
import { formatClock } from '@/utils/time';

const PATH: OrderStatus[] = ['pending', 'confirmed', 'preparing', 'ready', 'picked_up', 'delivered'];

/** The way of an order: what happened and when, where it is, what is still to come. */
export function Timeline({ status, history }: { status: OrderStatus; history: Transition[] }) {
  const { t, language } = useI18n();
  const times = new Map(history.map((step) => [step.to, step]));
  const reached = PATH.indexOf(status);
  // An order that ended off the path shows the steps it made and then its end.
  const steps = reached >= 0 ? PATH : [...PATH.filter((step) => times.has(step)), status];
  return (
    <ol>
      {steps.map((step, i) => {
        const current = step === status;
        const done = reached >= 0 ? i < reached || status === 'delivered' : !current;
        const bad = current && isEnded(status) && status !== 'delivered';
        const at = times.get(step);
        return (
          <li key={step} aria-current={current ? 'step' : undefined} className="relative flex gap-4 pb-5 last:pb-0">
            {i < steps.length - 1 && (
              <span
                className={`absolute top-9 bottom-0 left-[17px] w-0.5 ${done ? 'bg-leaf' : 'bg-line'}`}
                aria-hidden="true"
              />
            )}
            <span
              className={`grid size-9 shrink-0 place-items-center rounded-full ${
                bad
                  ? 'bg-danger text-canvas'
                  : done
                    ? 'bg-leaf text-on-leaf'
                    : current
                      ? 'bg-brand text-on-brand ring-4 ring-brand-tint'
                      : 'bg-sunken text-soft'
              }`}
            >
              <Icon name={done ? 'check' : statusIcon(step)} className="size-[18px]" />
            </span>
            <div className="min-w-0 flex-1 pt-1.5">
              <p className="flex items-baseline justify-between gap-3">
                <span className={current ? 'font-bold' : done ? 'font-medium' : 'text-soft'}>{t(`step.${step}`)}</span>
                {at && (
                  <time dateTime={at.at} className="text-sm text-soft tabular-nums">
                    {formatClock(at.at, language)}
                  </time>
                )}
              </p>
              {at?.reason && <p className="mt-0.5 text-sm text-soft">“{at.reason}”</p>}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
