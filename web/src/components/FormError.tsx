import type { ApiError } from '@/api/errors';
import { Icon } from './Icon';
import { useErrorText } from './useErrorText';

/** What went wrong with a form as a whole; read aloud at once. */
export function FormError({ error, text }: { error: ApiError | null; text?: string | undefined }) {
  const words = useErrorText();
  return (
    <div role="alert">
      {error && (
        <p className="flex items-start gap-2.5 rounded-xl bg-danger-tint px-4 py-3 text-[15px] font-medium text-danger">
          <Icon name="alert" className="mt-0.5 size-5" />
          {text ?? words(error)}
        </p>
      )}
    </div>
  );
}
