import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import type { User } from '@/api/types';
import { Button } from '@/components/Button';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';

/** Who is signed in, and the way out. */
export function AccountMenu({ user }: { user: User }) {
  const { t } = useI18n();
  const { logout } = useAuth();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const root = useDismiss<HTMLDivElement>(open, () => setOpen(false));
  const name = `${user.firstName} ${user.lastName}`.trim() || user.email;

  const leave = async () => {
    setBusy(true);
    await logout();
    void navigate('/sign-in');
  };
  return (
    <div ref={root} className="relative">
      <button
        type="button"
        aria-expanded={open}
        aria-controls="account-menu"
        aria-label={t('nav.account', { name })}
        onClick={() => setOpen(!open)}
        className="grid size-10 place-items-center rounded-full bg-turmeric font-display text-sm font-bold text-on-turmeric transition-transform hover:scale-105"
      >
        {initials(user)}
      </button>
      <div
        id="account-menu"
        hidden={!open}
        className="rise absolute right-0 mt-2 w-64 rounded-2xl border border-line bg-surface p-4 shadow-lift"
      >
        <p className="font-semibold">{name}</p>
        <p className="truncate text-sm text-soft">{user.email}</p>
        <p className="mt-1 text-sm text-soft">
          {t(`role.${user.role}`)} · {user.city}
        </p>
        <Button look="secondary" size="small" icon="exit" className="mt-4 w-full" busy={busy} onClick={leave}>
          {t('nav.signOut')}
        </Button>
      </div>
    </div>
  );
}

function initials(user: User): string {
  return `${user.firstName.charAt(0)}${user.lastName.charAt(0)}`.toUpperCase() || user.email.charAt(0).toUpperCase();
}

/** Closes something open on Escape or a press elsewhere. */
export function useDismiss<E extends HTMLElement>(open: boolean, close: () => void) {
  const root = useRef<E>(null);
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!open) return;
    const onPress = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) latest.current();
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') latest.current();
    };
    document.addEventListener('pointerdown', onPress);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onPress);
      document.removeEventListener('keydown', onKey);
    };
  }, [open]);
  return root;
}
