import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import { useCities } from '@/api/queries';
import type { City } from '@/api/types';
import { useI18n } from '@/i18n/I18nContext';
import { CONTROL, FieldFrame } from './Field';
import { Icon } from './Icon';

interface Props {
  label: string;
  value: string;
  onText: (text: string) => void;
  onPick: (city: City) => void;
  error?: string | undefined;
  hint?: string | undefined;
  autoFocus?: boolean;
}

const PAUSE_MS = 180;

/** A city by name, with suggestions: the combobox pattern, so arrows, Enter and Escape work as people expect. */
export function CitySearch({ label, value, onText, onPick, error, hint, autoFocus }: Props) {
  const { t } = useI18n();
  const list = useId();
  const asked = useSettled(value, PAUSE_MS);
  const { data: cities = [] } = useCities(asked);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const shown = open && cities.length > 0;

  const pick = (city: City) => {
    onPick(city);
    setOpen(false);
    setAt(-1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') return setOpen(false);
    if (event.key === 'Enter' && shown && cities[at]) {
      event.preventDefault();
      return pick(cities[at]);
    }
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    setOpen(true);
    setAt((before) => (before + step + cities.length) % Math.max(1, cities.length));
  };

  return (
    <FieldFrame label={label} error={error} hint={hint} className="relative">
      {(ids) => (
        <>
          <span className="relative block">
            <Icon
              name="pin"
              className="pointer-events-none absolute top-1/2 left-3.5 size-[18px] -translate-y-1/2 text-soft"
            />
            <input
              {...ids}
              role="combobox"
              aria-expanded={shown}
              aria-controls={list}
              aria-autocomplete="list"
              aria-activedescendant={shown && at >= 0 ? `${list}-${at}` : undefined}
              autoComplete="off"
              // biome-ignore lint/a11y/noAutofocus: opened by a press on "change city", where typing is the next step
              autoFocus={autoFocus}
              value={value}
              placeholder={t('city.placeholder')}
              onChange={(event) => {
                onText(event.target.value);
                setOpen(true);
                setAt(-1);
              }}
              onKeyDown={onKeyDown}
              onBlur={() => setOpen(false)}
              className={`${CONTROL} h-12 pl-10`}
            />
          </span>
          <div
            id={list}
            role="listbox"
            aria-label={t('city.suggestions')}
            className={`absolute inset-x-0 top-full z-30 mt-1 max-h-72 overflow-auto rounded-2xl border border-line bg-surface p-1.5 shadow-lift ${shown ? '' : 'hidden'}`}
          >
            {cities.map((city, i) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the input, which keeps the focus
              <div
                key={`${city.name}|${city.state}|${city.latitude}`}
                id={`${list}-${i}`}
                role="option"
                tabIndex={-1}
                aria-selected={i === at}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => pick(city)}
                className={`flex cursor-pointer items-baseline justify-between gap-3 rounded-xl px-3 py-2.5 ${i === at ? 'bg-sunken' : 'hover:bg-sunken'}`}
              >
                <span className="font-medium">{city.name}</span>
                <span className="text-sm text-soft">
                  {city.state}, {city.country}
                </span>
              </div>
            ))}
          </div>
        </>
      )}
    </FieldFrame>
  );
}

/** The value once it has rested for `ms`: a request per word instead of one per letter. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
