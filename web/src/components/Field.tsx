import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from 'react';
import { Icon } from './Icon';

export const CONTROL =
  'w-full rounded-xl border border-edge bg-surface px-3.5 text-[15px] text-ink placeholder:text-soft transition-colors hover:border-ink focus:border-sky focus:outline-2 focus:outline-offset-0 focus:outline-sky aria-invalid:border-danger disabled:bg-sunken';

interface Frame {
  label: string;
  hint?: ReactNode;
  /** What the server or the form found wrong; stands beside the field and is read with it. */
  error?: string | undefined;
  className?: string;
}

/** Label above, control, then hint or error below, tied together for screen readers. */
export function FieldFrame({
  label,
  hint,
  error,
  className = '',
  children,
}: Frame & {
  children: (ids: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': boolean | undefined;
  }) => ReactNode;
}) {
  const id = useId();
  const note = error || hint ? `${id}-note` : undefined;
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-sm font-semibold text-ink">
        {label}
      </label>
      {children({ id, 'aria-describedby': note, 'aria-invalid': error ? true : undefined })}
      {error ? (
        <p id={note} className="mt-1.5 flex items-start gap-1.5 text-sm font-medium text-danger">
          <Icon name="alert" className="mt-0.5 size-4" />
          {error}
        </p>
      ) : (
        hint && (
          <p id={note} className="mt-1.5 text-sm text-soft">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

export function TextField({ label, hint, error, className, ...input }: Frame & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <FieldFrame label={label} hint={hint} error={error} className={className ?? ''}>
      {(ids) => <input {...input} {...ids} className={`${CONTROL} h-12`} />}
    </FieldFrame>
  );
}

export function TextArea({
  label,
  hint,
  error,
  className,
  ...area
}: Frame & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <FieldFrame label={label} hint={hint} error={error} className={className ?? ''}>
      {(ids) => <textarea rows={3} {...area} {...ids} className={`${CONTROL} py-3`} />}
    </FieldFrame>
  );
}

export function SelectField({
  label,
  hint,
  error,
  className,
  children,
  ...select
}: Frame & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <FieldFrame label={label} hint={hint} error={error} className={className ?? ''}>
      {(ids) => (
        <span className="relative block">
          <select {...select} {...ids} className={`${CONTROL} h-12 appearance-none pr-10`}>
            {children}
          </select>
          <Icon
            name="down"
            className="pointer-events-none absolute top-1/2 right-3.5 size-4 -translate-y-1/2 text-soft"
          />
        </span>
      )}
    </FieldFrame>
  );
}
