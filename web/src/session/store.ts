import type { SessionAnswer, User } from '@/api/types';

const KEY = 'tiffin.session';

/** What a signed-in browser remembers, the same for all its tabs. */
export interface Session {
  user: User;
  token: string;
  refreshToken: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  expiresAt: number;
}

export type SessionListener = (session: Session | null) => void;

/** Keeps the session in localStorage and tells this tab about changes made here or in another tab. */
export interface SessionStore {
  read(): Session | null;
  write(session: Session | null): void;
  subscribe(listener: SessionListener): () => void;
}

export function fromAnswer(answer: SessionAnswer, now: number): Session {
  return {
    user: answer.user,
    token: answer.token,
    refreshToken: answer.refreshToken,
    expiresAt: now + answer.expiresIn * 1000,
  };
}

export function createSessionStore(storage: Storage, events: Pick<Window, 'addEventListener'>): SessionStore {
  const listeners = new Set<SessionListener>();
  const read = () => parse(storage.getItem(KEY));
  const tell = () => {
    const session = read();
    for (const listener of listeners) listener(session);
  };
  // "storage" fires in every tab but the one that wrote; `key` is null when all was cleared.
  events.addEventListener('storage', (event: StorageEvent) => {
    if (event.key === KEY || event.key === null) tell();
  });
  return {
    read,
    write(session) {
      if (session) storage.setItem(KEY, JSON.stringify(session));
      else storage.removeItem(KEY);
      tell();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

// A half-written or foreign value counts as signed out: better than a page that cannot start.
function parse(text: string | null): Session | null {
  if (!text) return null;
  try {
    const value = JSON.parse(text) as Partial<Session>;
    const whole = value.token && value.refreshToken && value.user?.id && typeof value.expiresAt === 'number';
    return whole ? (value as Session) : null;
  } catch {
    return null;
  }
}
