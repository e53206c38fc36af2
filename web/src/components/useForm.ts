import { type FormEvent, useRef, useState } from 'react';
import { type ApiError, toApiError } from '@/api/errors';

/**
 * One form's life: sends it once at a time, puts the server's words beside their fields, moves the
 * focus to the first wrong one, and leaves everything else in `error` for the top of the form.
 */
export function useForm<F extends string>(send: () => Promise<void>, check?: () => Partial<Record<F, string>>) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [fields, setFields] = useState<Partial<Record<string, string>>>({});

  const show = (wrong: Partial<Record<string, string>>) => {
    setFields(wrong);
    const name = Object.keys(wrong)[0];
    // After React has put aria-invalid and the message in place, so that they are read together.
    requestAnimationFrame(() =>
      form.current?.querySelector<HTMLElement>(`[name="${name}"], [aria-invalid="true"]`)?.focus(),
    );
  };

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const wrong: Partial<Record<string, string>> = check?.() ?? {};
    setError(null);
    if (Object.keys(wrong).length > 0) return show(wrong);
    setBusy(true);
    try {
      await send();
      setFields({});
    } catch (cause) {
      const failure = toApiError(cause);
      if (failure.fields.size > 0) show(Object.fromEntries(failure.fields));
      else setFields({});
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    error,
    /** The message beside a field, if it has one. */
    at: (name: F): string | undefined => fields[name],
    form: { ref: form, onSubmit, noValidate: true },
  };
}
