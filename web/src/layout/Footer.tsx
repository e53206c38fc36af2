import { useState } from 'react';
import { Icon } from '@/components/Icon';
import { LANGUAGES, type Language, useI18n } from '@/i18n/I18nContext';
import { readTheme, type Theme, writeTheme } from '@/utils/theme';

const SELECT =
  'h-10 appearance-none rounded-full border border-edge/60 bg-surface pr-9 pl-9 text-sm font-medium text-ink hover:border-ink';

/** Language and theme, where they are looked for last and found on every page. */
export function Footer() {
  const { t, language, setLanguage } = useI18n();
  const [theme, setTheme] = useState<Theme>(readTheme);
  return (
    <footer className="mt-16 border-t border-line">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-3 px-4 py-6 text-sm text-soft sm:px-6">
        <p className="mr-auto max-sm:w-full">{t('footer.line')}</p>
        <Choice
          icon="globe"
          label={t('footer.language')}
          value={language}
          onChange={(value) => setLanguage(value as Language)}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </Choice>
        <Choice
          icon={theme === 'dark' ? 'moon' : 'sun'}
          label={t('footer.theme')}
          value={theme}
          onChange={(value) => {
            writeTheme(value as Theme);
            setTheme(value as Theme);
          }}
        >
          <option value="system">{t('theme.system')}</option>
          <option value="light">{t('theme.light')}</option>
          <option value="dark">{t('theme.dark')}</option>
        </Choice>
      </div>
    </footer>
  );
}

function Choice({
  icon,
  label,
  value,
  onChange,
  children,
}: {
  icon: 'globe' | 'sun' | 'moon';
  label: string;
  value: string;
  onChange: (value: string) => void;
  children: React.ReactNode;
}) {
  return (
    <span className="relative">
      <Icon name={icon} className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2" />
      <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} className={SELECT}>
        {children}
      </select>
      <Icon name="down" className="pointer-events-none absolute top-1/2 right-3 size-3.5 -translate-y-1/2" />
    </span>
  );
}
