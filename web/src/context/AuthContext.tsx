import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import type { Registration, SessionAnswer, User } from '@/api/types';
import { fromAnswer } from '@/session/store';
import { anonymousClient, apiClient, sessionStore } from '@/utils/apiClient';

export interface Auth {
  /** Null: nobody is signed in. */
  user: User | null;
  login(email: string, password: string): Promise<User>;
  register(registration: Registration): Promise<User>;
  logout(): Promise<void>;
}

const AuthContext = createContext<Auth | null>(null);

/** Follows the session over all tabs: signing out in one signs out everywhere. */
export function AuthProvider({ children }: { children: ReactNode }) {
  const [user, setUser] = useState<User | null>(() => sessionStore.read()?.user ?? null);
  const queries = useQueryClient();

  useEffect(
    () =>
      sessionStore.subscribe((session) => {
        setUser((before) => {
          // What one person was shown must not greet the next.
          if (before && before.id !== session?.user.id) queries.clear();
          return before && session && before.updatedAt === session.user.updatedAt && before.id === session.user.id
            ? before
            : (session?.user ?? null);
        });
      }),
    [queries],
  );

  const enter = useCallback(async (path: string, body: object) => {
    const { data } = await anonymousClient.post<SessionAnswer>(path, body);
    sessionStore.write(fromAnswer(data, Date.now()));
    return data.user;
  }, []);

  const auth = useMemo<Auth>(
    () => ({
      user,
      login: (email, password) => enter('/auth/login', { email, password }),
      register: (registration) => enter('/auth/register', registration),
      async logout() {
        const session = sessionStore.read();
        // Forgotten here whatever the server says: who presses "sign out" must be out.
        if (session)
          await apiClient.post('/auth/logout', { refreshToken: session.refreshToken }).catch(() => undefined);
        sessionStore.write(null);
      },
    }),
    [user, enter],
  );

  return <AuthContext value={auth}>{children}</AuthContext>;
}

export function useAuth(): Auth {
  const auth = use(AuthContext);
  if (!auth) throw new Error('useAuth outside AuthProvider');
  return auth;
}
