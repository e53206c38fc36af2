import { createContext, type ReactNode, use, useCallback, useMemo, useRef, useState } from 'react';
import { useI18n } from '@/i18n/I18nContext';
import { IconButton } from './Button';
import { Icon } from './Icon';

export interface Toast {
  tone: 'good' | 'bad';
  text: string;
}

const ToastContext = createContext<((toast: Toast) => void) | null>(null);
const SHOWN_MS = 6_000;

/** Short news about something just done. Read aloud politely; stays while the pointer rests on it. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const [toasts, setToasts] = useState<(Toast & { id: number })[]>([]);
  const last = useRef(0);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback((toast: Toast) => {
    const id = ++last.current;
    // Saying the same thing twice replaces the first: a flaky network must not fill the page.
    setToasts((all) => [...all.filter((old) => old.text !== toast.text).slice(-2), { ...toast, id }]);
  }, []);
  const value = useMemo(() => show, [show]);
  return (
    <ToastContext value={value}>
      {children}
      <div
        role="status"
        aria-live="polite"
        className="pointer-events-none fixed inset-x-4 bottom-20 z-50 flex flex-col items-center gap-2 sm:bottom-6"
      >
        {toasts.map((toast) => (
          <div
            key={toast.id}
            className="toast pointer-events-auto flex max-w-md items-center gap-3 rounded-2xl bg-ink py-2 pr-2 pl-4 text-[15px] font-medium text-canvas shadow-lift"
            style={{ animationDuration: `${SHOWN_MS}ms` }}
            onAnimationEnd={() => drop(toast.id)}
          >
            <Icon name={toast.tone === 'good' ? 'check' : 'alert'} className="size-5" />
            <span className="py-1.5">{toast.text}</span>
            <IconButton
              icon="close"
              label={t('common.close')}
              className="text-canvas hover:bg-canvas/15"
              onClick={() => drop(toast.id)}
            />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}

export function useToast() {
  const show = use(ToastContext);
  if (!show) throw new Error('useToast outside ToastProvider');
  return show;
}
