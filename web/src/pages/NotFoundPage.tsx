import { ButtonLink } from '@/components/Button';
import { EmptyState } from '@/components/Parts';
import { useI18n } from '@/i18n/I18nContext';
import { useTitle } from '@/utils/useTitle';

export function NotFoundPage() {
  const { t } = useI18n();
  useTitle(t('notFound.title'));
  return (
    <EmptyState
      page
      icon="route"
      title={t('notFound.title')}
      action={<ButtonLink to="/">{t('nav.restaurants')}</ButtonLink>}
    >
      {t('notFound.text')}
    </EmptyState>
  );
}
