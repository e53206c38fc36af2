import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { Order } from '@/api/types';
import { borrowSocket, followOrder, type TrackingSocket } from '@/utils/socketClient';

/** A list shows so many open orders at most; a kitchen with more looks at them page by page. */
const MOST = 50;

/**
 * Follows each of the orders, and has every list of orders read again when one of them changes. Only known orders can be
 * followed: that there is a new one must still be asked for.
 */
export function useLiveOrders(orders: Known[]): void {
  const queries = useQueryClient();
  const following = useRef<Following | null>(null);
  const known = useRef(orders);
  known.current = orders;
  const wanted = orders
    .slice(0, MOST)
    .map(({ id }) => id)
    .join(' ');

  useEffect(() => {
    const now = wanted.split(' ').filter(Boolean);
    if (now.length > 0) following.current ??= new Following(queries, () => known.current);
    following.current?.follow(now);
  }, [wanted, queries]);

  useEffect(
    () => () => {
      following.current?.end();
      following.current = null;
    },
    [],
  );
}

type Known = Pick<Order, 'id' | 'status'>;

/** The orders that are followed, over one loan of the page's connection. */
class Following {
  readonly #queries: QueryClient;
  readonly #known: () => Known[];
  readonly #socket: TrackingSocket;
  readonly #release: () => void;
  readonly #stops = new Map<string, () => void>();

  constructor(queries: QueryClient, known: () => Known[]) {
    this.#queries = queries;
    this.#known = known;
    ({ socket: this.#socket, release: this.#release } = borrowSocket());
  }

  follow(ids: string[]): void {
    for (const [id, stop] of this.#stops) {
      if (ids.includes(id)) continue;
      stop();
      this.#stops.delete(id);
    }
    for (const id of ids) {
      if (!this.#stops.has(id)) this.#stops.set(id, this.#begin(id));
    }
  }

  end(): void {
    this.follow([]);
    this.#release();
  }

  #begin(id: string): () => void {
    let seq = 0;
    return followOrder(this.#socket, id, {
      onLink() {},
      onState: (next) => {
        // The first word is where the order stands, which the list knows unless it is older.
        const changed = seq > 0 ? next.seq > seq : next.status !== this.#known().find((one) => one.id === id)?.status;
        seq = next.seq;
        if (!changed) return;
        for (const queryKey of [['order', id], ['orders'], ['assignments']])
          void this.#queries.invalidateQueries({ queryKey });
      },
    });
  }
}
