import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { Link, type LinkProps } from 'react-router';
import { Icon, type IconName } from './Icon';

const BASE =
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-full font-semibold whitespace-nowrap transition-[background-color,color,transform,box-shadow] duration-150 active:scale-[0.98] disabled:pointer-events-none disabled:opacity-50';

const LOOKS = {
  primary: 'bg-brand text-on-brand hover:bg-brand-strong',
  secondary: 'bg-surface text-ink border border-edge/60 hover:border-ink hover:bg-sunken',
  quiet: 'text-ink hover:bg-sunken',
  success: 'bg-leaf text-on-leaf hover:brightness-95',
  danger: 'bg-surface text-danger border border-danger/50 hover:bg-danger-tint',
} as const;

const SIZES = {
  small: 'h-9 px-4 text-sm',
  medium: 'h-11 px-5 text-[15px]',
  large: 'h-13 px-7 text-base',
} as const;

export type Look = keyof typeof LOOKS;

interface Common {
  look?: Look;
  size?: keyof typeof SIZES;
  icon?: IconName;
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Common {
  /** Shows a spinner, refuses presses and says so to screen readers. */
  busy?: boolean;
}

export function Button({
  look = 'primary',
  size = 'medium',
  icon,
  busy = false,
  className = '',
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={`${BASE} ${LOOKS[look]} ${SIZES[size]} ${className}`}
    >
      {busy ? <Spinner /> : icon && <Icon name={icon} className="size-[1.15em]" />}
      {children}
    </button>
  );
}

export function ButtonLink({
  look = 'primary',
  size = 'medium',
  icon,
  className = '',
  children,
  ...rest
}: LinkProps & Common) {
  return (
    <Link {...rest} className={`${BASE} ${LOOKS[look]} ${SIZES[size]} ${className}`}>
      {icon && <Icon name={icon} className="size-[1.15em]" />}
      {children as ReactNode}
    </Link>
  );
}

const ICON_LOOKS = {
  plain: 'text-ink hover:bg-sunken',
  soft: 'bg-sunken text-ink hover:bg-line',
  brand: 'bg-brand text-on-brand hover:bg-brand-strong',
  floating: 'bg-surface text-ink shadow-card border border-line hover:bg-sunken',
} as const;

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label'> {
  icon: IconName;
  /** Read aloud and shown on hover. */
  label: string;
  variant?: keyof typeof ICON_LOOKS;
}

export function IconButton({ icon, label, variant = 'plain', className = '', ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      title={label}
      className={`grid size-10 place-items-center rounded-full transition-colors disabled:opacity-40 ${ICON_LOOKS[variant]} ${className}`}
    >
      <Icon name={icon} className="size-5" />
    </button>
  );
}

export function Spinner({ className = 'size-[1.15em]' }: { className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      aria-hidden="true"
      className={`animate-spin ${className}`}
      fill="none"
      strokeWidth="3"
      strokeLinecap="round"
    >
      <circle cx="12" cy="12" r="9" stroke="currentColor" opacity="0.25" />
      <path d="M21 12a9 9 0 0 0-9-9" stroke="currentColor" />
    </svg>
  );
}
