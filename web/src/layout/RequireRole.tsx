import { Navigate, Outlet, useLocation } from 'react-router';
import type { Role } from '@/api/types';
import { ButtonLink } from '@/components/Button';
import { EmptyState } from '@/components/Parts';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';
import { homeOf } from './AppShell';

/** Pages of one role. The server decides what may be done; this only spares people a page of refusals. */
export function RequireRole({ only }: { only: Role }) {
  const { t } = useI18n();
  const { user } = useAuth();
  const { pathname, search } = useLocation();
  if (!user) return <Navigate to="/sign-in" replace state={{ from: `${pathname}${search}` }} />;
  if (user.role === only) return <Outlet />;
  return (
    <EmptyState
      page
      icon="user"
      title={t('role.wrong', { role: t(`role.${only}`) })}
      action={<ButtonLink to={homeOf(user)}>{t('nav.home')}</ButtonLink>}
    />
  );
}
