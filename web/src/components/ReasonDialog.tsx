import { useState } from 'react';
import { useI18n } from '@/i18n/I18nContext';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { TextField } from './Field';

interface Props {
  title: string;
  action: string;
  open: boolean;
  /** Usual ones, a press each; anything else can be typed. */
  reasons: string[];
  onClose: () => void;
  onSend: (reason: string) => Promise<void>;
}

/** Asks why before something that cannot be undone. The other side reads the answer. */
export function ReasonDialog({ title, action, open, reasons, onClose, onSend }: Props) {
  const { t } = useI18n();
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    await onSend(reason.trim());
    setBusy(false);
    setReason('');
    onClose();
  };
  return (
    <Dialog title={title} open={open} onClose={onClose}>
      <ul className="mb-4 flex flex-wrap gap-2">
        {reasons.map((text) => (
          <li key={text}>
            <Button
              look="secondary"
              size="small"
              aria-pressed={reason === text}
              onClick={() => setReason(text)}
              className="aria-pressed:border-ink aria-pressed:bg-sunken"
            >
              {text}
            </Button>
          </li>
        ))}
      </ul>
      <TextField
        label={t('reason.label')}
        value={reason}
        maxLength={200}
        onChange={(event) => setReason(event.target.value)}
      />
      <div className="mt-6 flex flex-wrap justify-end gap-3">
        <Button look="secondary" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button look="danger" busy={busy} disabled={reason.trim() === ''} onClick={send}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
