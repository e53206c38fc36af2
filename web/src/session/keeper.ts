import type { SessionAnswer } from '@/api/types';
import type { Exclusive } from './lock';
import { fromAnswer, type Session, type SessionStore } from './store';

/** Refresh this long before the access token ends, so that no request is sent with a dying one. */
const EARLY_MS = 30_000;

export interface KeeperDeps {
  store: SessionStore;
  exclusive: Exclusive;
  /** POST /auth/refresh. Throws `{status: 401}` when the family is gone. */
  refresh: (refreshToken: string) => Promise<SessionAnswer>;
  now?: () => number;
}

/**
 * Hands out access tokens that work. A refresh token may be used once over all tabs: a second use
 * makes the server revoke the whole family. So every refresh holds a browser-wide lock, and reads
 * the store again inside it, because another tab may have refreshed while this one waited.
 */
export class SessionKeeper {
  readonly #deps: Required<KeeperDeps>;

  constructor(deps: KeeperDeps) {
    this.#deps = { now: Date.now, ...deps };
  }

  /** A token good for a request now, or null when signed out. */
  async token(): Promise<string | null> {
    const session = this.#deps.store.read();
    if (!session) return null;
    return this.#fresh(session) ? session.token : this.#renew(session.token);
  }

  /** A token other than `refused`, which the server has just turned down; null: sign in again. */
  replace(refused: string): Promise<string | null> {
    return this.#renew(refused);
  }

  #fresh(session: Session): boolean {
    return session.expiresAt - EARLY_MS > this.#deps.now();
  }

  #renew(stale: string): Promise<string | null> {
    const { store, exclusive, refresh, now } = this.#deps;
    return exclusive(async () => {
      const session = store.read();
      if (!session) return null;
      if (session.token !== stale) return session.token;
      try {
        const next = fromAnswer(await refresh(session.refreshToken), now());
        // Signed out (or in as somebody else) meanwhile: the new pair has no owner here.
        if (store.read()?.refreshToken !== session.refreshToken) return store.read()?.token ?? null;
        store.write(next);
        return next.token;
      } catch (error) {
        if ((error as { status?: number }).status !== 401) throw error;
        store.write(null);
        return null;
      }
    });
  }
}
