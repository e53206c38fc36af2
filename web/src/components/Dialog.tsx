import { type ReactNode, useEffect, useId, useRef } from 'react';
import { useI18n } from '@/i18n/I18nContext';
import { IconButton } from './Button';

/** The browser's own modal dialog: focus stays inside, Escape closes, the rest of the page is inert. */
export function Dialog({
  title,
  open,
  onClose,
  children,
  wide = false,
}: {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}) {
  const { t } = useI18n();
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the dialog's own key
    <dialog
      ref={element}
      aria-labelledby={heading}
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      className={`m-auto w-full max-sm:mb-0 max-sm:max-w-none max-sm:rounded-b-none ${wide ? 'max-w-2xl' : 'max-w-md'} overflow-visible rounded-3xl border border-line bg-surface text-ink shadow-lift backdrop:bg-black/50 open:rise`}
    >
      <div className="p-6">
        <div className="mb-4 flex items-start justify-between gap-4">
          <h2 id={heading} className="text-xl font-bold">
            {title}
          </h2>
          <IconButton icon="close" label={t('common.close')} className="-mt-1.5 -mr-2" onClick={onClose} />
        </div>
        {open && children}
      </div>
    </dialog>
  );
}
