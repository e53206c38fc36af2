import { Component, type ReactNode } from 'react';
import { I18nContext } from '@/i18n/I18nContext';
import { LoadError } from './Parts';

/** The last net: a bug in one page shows a sentence and a way on instead of a white screen. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  static override contextType = I18nContext;
  declare context: React.ContextType<typeof I18nContext>;
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    const message = this.context?.t('error.unexpected') ?? '';
    return <LoadError page message={message} onRetry={() => window.location.reload()} />;
  }
}
