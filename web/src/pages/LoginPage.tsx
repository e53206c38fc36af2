import { useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { Button } from '@/components/Button';
import { TextField } from '@/components/Field';
import { FormError } from '@/components/FormError';
import { useForm } from '@/components/useForm';
import { useAuth } from '@/context/AuthContext';
import { useI18n } from '@/i18n/I18nContext';
import { homeOf } from '@/layout/AppShell';
import { useTitle } from '@/utils/useTitle';
import { AuthFrame } from './AuthFrame';

export default function LoginPage() {
  const { t } = useI18n();
  const { login } = useAuth();
  const navigate = useNavigate();
  const { state } = useLocation();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  useTitle(t('login.title'));

  const { busy, error, at, form } = useForm<'email' | 'password'>(
    async () => {
      const user = await login(email, password);
      void navigate((state as { from?: string } | null)?.from ?? homeOf(user), { replace: true });
    },
    () => ({
      ...(email.trim() === '' && { email: t('field.required') }),
      ...(password === '' && { password: t('field.required') }),
    }),
  );
  const wrong = error?.kind === 'unauthenticated' ? t('login.wrong') : undefined;

  return (
    <AuthFrame
      title={t('login.title')}
      intro={
        <>
          {t('login.new')}{' '}
          <Link to="/register" state={state} className="font-semibold text-brand underline underline-offset-4">
            {t('login.register')}
          </Link>
        </>
      }
    >
      <form {...form} className="space-y-5">
        {error?.fields.size === 0 || wrong ? <FormError error={error} text={wrong} /> : null}
        <TextField
          label={t('field.email')}
          name="email"
          type="email"
          autoComplete="username"
          inputMode="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={at('email')}
        />
        <TextField
          label={t('field.password')}
          name="password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={at('password')}
        />
        <Button type="submit" size="large" className="w-full" busy={busy}>
          {t('login.submit')}
        </Button>
      </form>
    </AuthFrame>
  );
}
