/** Runs one piece of work at a time over all tabs of this browser. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

const NAME = 'tiffin.session.refresh';
const LEASE_MS = 15_000;
const POLL_MS = 50;

/**
 * navigator.locks where the browser has it. It exists in secure contexts only, so a fleet tried
 * out over plain http on a local network falls back to a lease in localStorage: slower, and a tab
 * that dies while holding it makes the others wait for the lease to run out.
 */
export function createExclusive(locks: LockManager | undefined, storage: Storage): Exclusive {
  if (locks) return (work) => locks.request(NAME, work) as ReturnType<typeof work>;
  const me = crypto.getRandomValues(new Uint32Array(2)).join('-');
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const run = tail.then(() => withLease(storage, me, work));
    tail = run.catch(() => undefined);
    return run;
  };
}

async function withLease<T>(storage: Storage, me: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const holder = lease(storage.getItem(NAME));
    if (!holder || holder.until < Date.now()) {
      storage.setItem(NAME, `${me} ${Date.now() + LEASE_MS}`);
      // Two tabs may both have seen it free; after a moment only the last writer still finds its name.
      await pause(POLL_MS);
      if (lease(storage.getItem(NAME))?.owner === me) break;
    }
    await pause(POLL_MS);
  }
  try {
    return await work();
  } finally {
    storage.removeItem(NAME);
  }
}

function lease(text: string | null): { owner: string; until: number } | null {
  const [owner, until] = (text ?? '').split(' ');
  return owner && until ? { owner, until: Number(until) } : null;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
