import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { borrowSocket, followOrder, type Link } from '@/utils/socketClient';
import { EMPTY_FEED, type FeedState } from './feed';

export interface OrderFeed {
  state: FeedState;
  link: Link;
  /** When the server was last heard of, by this machine's clock; null before the first word. */
  heardAt: number | null;
}

/** Live state of one order. Each change of it makes the order's other queries load again. */
export function useOrderFeed(orderId: string): OrderFeed {
  const [state, setState] = useState<FeedState>(EMPTY_FEED);
  const [link, setLink] = useState<Link>('connecting');
  const [heardAt, setHeardAt] = useState<number | null>(null);
  const queries = useQueryClient();

  useEffect(() => {
    const { socket, release } = borrowSocket();
    setState(EMPTY_FEED);
    setLink('connecting');
    let seq = 0;
    const stop = followOrder(socket, orderId, {
      onLink(next) {
        setLink(next);
        if (next !== 'live') return;
        setHeardAt(Date.now());
        // What REST said before the gap may be old, whatever the socket still sends of it.
        void queries.invalidateQueries({ queryKey: ['order', orderId] });
      },
      onState(next) {
        setState(next);
        setHeardAt(Date.now());
        if (next.seq === seq) return;
        seq = next.seq;
        void queries.invalidateQueries({ queryKey: ['order', orderId] });
        void queries.invalidateQueries({ queryKey: ['orders'] });
        void queries.invalidateQueries({ queryKey: ['assignments'] });
      },
    });
    return () => {
      stop();
      release();
    };
  }, [orderId, queries]);

  return { state, link, heardAt };
}
