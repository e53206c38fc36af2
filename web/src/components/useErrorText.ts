import { useCallback } from 'react';
import { toApiError } from '@/api/errors';
import { useI18n } from '@/i18n/I18nContext';

/**
 * The sentence a person reads about a failed request. What the server says in its own words is
 * shown for conflicts and refused values only, where it knows more than the kind of the error.
 */
export function useErrorText(): (error: unknown) => string {
  const { t } = useI18n();
  return useCallback(
    (cause: unknown) => {
      const error = toApiError(cause);
      switch (error.kind) {
        case 'conflict':
        case 'invalid':
          return error.problem.detail ?? t(`error.${error.kind}`);
        case 'limited':
          return t('error.limited', { seconds: error.retryAfter ?? 1 });
        case 'unexpected':
          return error.requestId ? t('error.quote', { id: error.requestId }) : t('error.unexpected');
        default:
          return t(`error.${error.kind}`);
      }
    },
    [t],
  );
}
