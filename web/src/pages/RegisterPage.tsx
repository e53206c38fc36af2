import { type ChangeEvent, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import type { City, Registration } from '@/api/types';
import { Button } from '@/components/Button';
import { CitySearch } from '@/components/CitySearch';
import { TextField } from '@/components/Field';
import { FormError } from '@/components/FormError';
import { Icon, type IconName } from '@/components/Icon';
import { useForm } from '@/components/useForm';
import { useAuth } from '@/context/AuthContext';
import { usePlace } from '@/context/PlaceContext';
import { useI18n } from '@/i18n/I18nContext';
import { homeOf } from '@/layout/AppShell';
import { useTitle } from '@/utils/useTitle';
import { AuthFrame } from './AuthFrame';

const ROLES: { role: Registration['role']; icon: IconName }[] = [
  { role: 'customer', icon: 'bag' },
  { role: 'restaurant_owner', icon: 'store' },
  { role: 'delivery_partner', icon: 'scooter' },
];
const MIN_PASSWORD = 8;

export default function RegisterPage() {
  const { t } = useI18n();
  const { register } = useAuth();
  const { place, setPlace } = usePlace();
  const navigate = useNavigate();
  const { state } = useLocation();
  const [city, setCity] = useState<City | null>(null);
  const [values, setValues] = useState<Registration>({
    email: '',
    password: '',
    firstName: '',
    lastName: '',
    phoneNumber: '',
    role: 'customer',
    city: place?.exact ? '' : (place?.city ?? ''),
  });
  useTitle(t('register.title'));

  const { busy, error, at, form } = useForm<keyof Registration>(
    async () => {
      // Trimmed here as the server would: a space after an address is a keyboard's, not the person's.
      const user = await register({ ...values, email: values.email.trim(), city: values.city.trim() });
      if (city) setPlace({ city: city.name, state: city.state, latitude: city.latitude, longitude: city.longitude });
      void navigate((state as { from?: string } | null)?.from ?? homeOf(user), { replace: true });
    },
    () => {
      const wrong: Partial<Record<keyof Registration, string>> = {};
      for (const name of ['firstName', 'lastName', 'email', 'phoneNumber', 'password', 'city'] as const) {
        if (values[name].trim() === '') wrong[name] = t('field.required');
      }
      if (!wrong.password && values.password.length < MIN_PASSWORD) wrong.password = t('field.passwordShort');
      return wrong;
    },
  );
  const bind = (name: Exclude<keyof Registration, 'role' | 'city'>) => ({
    label: t(`field.${name}`),
    name,
    value: values[name],
    onChange: (event: ChangeEvent<HTMLInputElement>) => setValues({ ...values, [name]: event.target.value }),
    error: at(name),
  });

  return (
    <AuthFrame
      title={t('register.title')}
      intro={
        <>
          {t('register.have')}{' '}
          <Link to="/sign-in" state={state} className="font-semibold text-brand underline underline-offset-4">
            {t('login.title')}
          </Link>
        </>
      }
    >
      <form {...form} className="space-y-5">
        {error && error.fields.size === 0 && (
          <FormError error={error} text={error.kind === 'conflict' ? t('register.taken') : undefined} />
        )}
        <fieldset>
          <legend className="mb-1.5 text-sm font-semibold">{t('register.as')}</legend>
          <div className="grid grid-cols-3 gap-2">
            {ROLES.map(({ role, icon }) => (
              <label
                key={role}
                className="flex cursor-pointer flex-col items-center gap-1.5 rounded-2xl border border-edge/60 bg-surface px-2 py-3.5 text-center text-sm font-semibold hover:border-ink has-checked:border-brand has-checked:bg-brand-tint has-checked:text-brand-strong has-focus-visible:outline-3 has-focus-visible:outline-offset-2 has-focus-visible:outline-sky"
              >
                <input
                  type="radio"
                  name="role"
                  value={role}
                  checked={values.role === role}
                  onChange={() => setValues({ ...values, role })}
                  className="sr-only"
                />
                <Icon name={icon} className="size-6" />
                {t(`register.${role}`)}
              </label>
            ))}
          </div>
        </fieldset>
        <div className="grid gap-5 sm:grid-cols-2">
          <TextField {...bind('firstName')} autoComplete="given-name" />
          <TextField {...bind('lastName')} autoComplete="family-name" />
        </div>
        <TextField {...bind('email')} type="email" autoComplete="email" inputMode="email" />
        <TextField
          {...bind('phoneNumber')}
          type="tel"
          autoComplete="tel"
          inputMode="tel"
          placeholder="+1 415 555 0134"
        />
        <CitySearch
          label={t('field.city')}
          value={values.city}
          error={at('city')}
          onText={(text) => setValues({ ...values, city: text })}
          onPick={(picked) => {
            setCity(picked);
            setValues({ ...values, city: picked.state ? `${picked.name}, ${picked.state}` : picked.name });
          }}
        />
        <TextField {...bind('password')} type="password" autoComplete="new-password" hint={t('field.passwordHint')} />
        <Button type="submit" size="large" className="w-full" busy={busy}>
          {t('register.submit')}
        </Button>
      </form>
    </AuthFrame>
  );
}
