import { Icon } from '@/components/Icon';
import { useI18n } from '@/i18n/I18nContext';
import type { Link } from '@/utils/socketClient';
import { formatAgo } from '@/utils/time';
import { useNow } from '@/utils/useNow';

/** Whether the map shows now or a while ago. Says so only after a moment: most breaks are shorter than the words. */
export function LinkChip({ link, heardAt }: { link: Link; heardAt: number | null }) {
  const { t, language } = useI18n();
  const now = useNow(1000, link !== 'live');
  const live = link === 'live';
  return (
    <div
      role="status"
      data-link={link}
      className={`flex items-center gap-2 rounded-full py-1.5 pr-3.5 pl-2.5 text-sm font-semibold shadow-card ${live ? 'bg-surface text-leaf-ink' : 'bg-turmeric text-on-turmeric'}`}
    >
      {live ? (
        <span className="relative grid size-3 place-items-center">
          <span className="absolute size-3 rounded-full bg-leaf/40 motion-safe:animate-ping" />
          <span className="size-2 rounded-full bg-leaf" />
        </span>
      ) : (
        <Icon name="signal" className="size-4 motion-safe:animate-pulse" />
      )}
      <span>
        {live && t('link.live')}
        {link === 'connecting' && t('link.connecting')}
        {link === 'refused' && t('link.refused')}
        {link === 'reconnecting' &&
          (heardAt ? t('link.lastHeard', { ago: formatAgo(heardAt, now, language) }) : t('link.reconnecting'))}
      </span>
    </div>
  );
}
