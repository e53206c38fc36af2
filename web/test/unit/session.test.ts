import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { SessionAnswer, User } from '@/api/types';
import { SessionKeeper } from '@/session/keeper';
import { createExclusive, type Exclusive } from '@/session/lock';
import { createSessionStore, fromAnswer, type SessionStore } from '@/session/store';

const user: User = {
  id: 'u1',
  email: 'maya@example.com',
  firstName: 'Maya',
  lastName: 'Okafor',
  phoneNumber: '+14155550134',
  role: 'customer',
  city: 'San Francisco',
  createdAt: '2026-11-22T14:00:00.000Z',
  updatedAt: '2026-11-22T14:00:00.000Z',
};

/** The server's side of the rule: a refresh token works once, a second use ends the family. */
class Family {
  #serial = 0;
  #current = 'r0';
  revoked = false;
  refreshes = 0;
  fail: 'network' | null = null;
  /** Resolves each refresh only when released, so that tabs overlap for certain. */
  gate: Promise<void> = Promise.resolve();

  answer(): SessionAnswer {
    return { user, token: `t${this.#serial}`, refreshToken: this.#current, expiresIn: 60 };
  }

  refresh = async (refreshToken: string): Promise<SessionAnswer> => {
    this.refreshes++;
    await this.gate;
    if (this.fail) throw { status: 0 };
    if (this.revoked || refreshToken !== this.#current) {
      this.revoked = true;
      throw { status: 401 };
    }
    this.#serial++;
    this.#current = `r${this.#serial}`;
    return this.answer();
  };
}

// As navigator.locks works over all tabs of a browser.
function sharedLock(): Exclusive {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const run = tail.then(work);
    tail = run.catch(() => undefined);
    return run;
  };
}

describe('a session kept by several tabs', () => {
  let family: Family;
  let store: SessionStore;
  let now: number;
  let tab: () => SessionKeeper;

  beforeEach(() => {
    family = new Family();
    now = 1_000_000;
    store = createSessionStore(localStorage, window);
    store.write(fromAnswer(family.answer(), now));
    const exclusive = sharedLock();
    tab = () => new SessionKeeper({ store, exclusive, refresh: family.refresh, now: () => now });
  });

  test('a fresh token is used as it is', async () => {
    expect(await tab().token()).toBe('t0');
    expect(family.refreshes).toBe(0);
  });

  test('ten tabs whose token ran out together refresh once', async () => {
    let open = () => {};
    family.gate = new Promise((resolve) => {
      open = resolve;
    });
    now += 60_000;
    const asked = Array.from({ length: 10 }, () => tab().token());
    open();
    expect(await Promise.all(asked)).toEqual(Array(10).fill('t1'));
    expect(family.refreshes).toBe(1);
    expect(family.revoked).toBe(false);
  });

  test('it is renewed a little before its end, so that none is sent dying', async () => {
    now += 29_000;
    expect(await tab().token()).toBe('t0');
    now += 2_000;
    expect(await tab().token()).toBe('t1');
  });

  test('a token that another tab has replaced already is not refreshed again', async () => {
    const [first, second] = [tab(), tab()];
    expect(await first.replace('t0')).toBe('t1');
    expect(await second.replace('t0')).toBe('t1');
    expect(family.refreshes).toBe(1);
  });

  test('a revoked family means signed out, everywhere', async () => {
    family.revoked = true;
    expect(await tab().replace('t0')).toBeNull();
    expect(store.read()).toBeNull();
    expect(await tab().token()).toBeNull();
  });

  test('a lost network is no reason to sign out', async () => {
    family.fail = 'network';
    await expect(tab().replace('t0')).rejects.toEqual({ status: 0 });
    expect(store.read()?.token).toBe('t0');
    family.fail = null;
    expect(await tab().replace('t0')).toBe('t1');
  });

  test('signing out while a refresh is under way wins', async () => {
    let open = () => {};
    family.gate = new Promise((resolve) => {
      open = resolve;
    });
    const asked = tab().replace('t0');
    await vi.waitFor(() => expect(family.refreshes).toBe(1));
    store.write(null);
    open();
    expect(await asked).toBeNull();
    expect(store.read()).toBeNull();
  });
});

describe('the store', () => {
  test('tells about changes of another tab', () => {
    const store = createSessionStore(localStorage, window);
    const seen: (string | undefined)[] = [];
    store.subscribe((session) => seen.push(session?.token));
    localStorage.setItem('tiffin.session', JSON.stringify(fromAnswer(new Family().answer(), 0)));
    window.dispatchEvent(new StorageEvent('storage', { key: 'tiffin.session' }));
    localStorage.clear();
    window.dispatchEvent(new StorageEvent('storage', { key: null }));
    window.dispatchEvent(new StorageEvent('storage', { key: 'something.else' }));
    expect(seen).toEqual(['t0', undefined]);
  });

  test.each(['', '{', 'null', '{"token":"t"}', '{"token":"t","refreshToken":"r","user":{},"expiresAt":1}'])(
    'takes %j for signed out',
    (text) => {
      localStorage.setItem('tiffin.session', text);
      expect(createSessionStore(localStorage, window).read()).toBeNull();
    },
  );
});

describe('the lock without navigator.locks', () => {
  const LEASE = 'tiffin.session.refresh';

  test('lets one tab in at a time', async () => {
    const tabs = Array.from({ length: 4 }, () => createExclusive(undefined, localStorage));
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    };
    await Promise.all(tabs.flatMap((exclusive) => [exclusive(work), exclusive(work)]));
    expect(most).toBe(1);
    expect(localStorage.getItem(LEASE)).toBeNull();
  });

  test('gives the lock back when the work fails', async () => {
    const exclusive = createExclusive(undefined, localStorage);
    await expect(exclusive(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await exclusive(async () => 'yes')).toBe('yes');
  });

  test('takes over from a tab that died holding it', async () => {
    localStorage.setItem(LEASE, `dead ${Date.now() - 1}`);
    expect(await createExclusive(undefined, localStorage)(async () => 'in')).toBe('in');
  });
});
