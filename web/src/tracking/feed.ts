import type { Fix, OrderStatus, OrderUpdate } from '@/api/types';

/** What a socket has told about one order so far. `seq` 0: nothing yet. */
export interface FeedState {
  seq: number;
  status: OrderStatus | null;
  deliveryPartnerId: string | null;
  estimatedDeliveryTime: number | null;
  fix: Fix | null;
}

export const EMPTY_FEED: FeedState = {
  seq: 0,
  status: null,
  deliveryPartnerId: null,
  estimatedDeliveryTime: null,
  fix: null,
};

export interface Applied {
  state: FeedState;
  /** An update is missing between what was known and this one: ask again with `since`. */
  gap: boolean;
}

/**
 * Takes one order-updated. Numbers rise by one for each change of an order, so a lower or equal
 * one is a repetition (after a reconnect the server sends again) and a jump means one was missed.
 * The newer state is shown at once even over a gap: an old status is worse than a missing step.
 */
export function applyUpdate(state: FeedState, update: OrderUpdate): Applied {
  if (update.seq <= state.seq) return { state, gap: false };
  return {
    state: {
      ...state,
      seq: update.seq,
      status: update.status,
      deliveryPartnerId: update.deliveryPartnerId,
      estimatedDeliveryTime: update.estimatedDeliveryTime,
      fix: carries(update) ? state.fix : null,
    },
    gap: state.seq > 0 && update.seq > state.seq + 1,
  };
}

/**
 * Takes the answer to a subscription. The first one says where the order stands. After a reconnect
 * the updates after `since` follow it one by one, and jumping ahead of them here would make each
 * look like a repetition: then only its location is new.
 */
export function applySnapshot(
  state: FeedState,
  ack: { status: OrderStatus; seq: number; location?: Fix | null },
): FeedState {
  const next = state.seq === 0 ? { ...state, seq: ack.seq, status: ack.status } : state;
  return ack.location ? applyFix(next, ack.location) : next;
}

/** Takes one location-updated; a fix older than the one shown never replaces it. */
export function applyFix(state: FeedState, fix: Fix): FeedState {
  if (state.fix && Date.parse(fix.timestamp) < Date.parse(state.fix.timestamp)) return state;
  return { ...state, fix };
}

const ENDED: ReadonlySet<OrderStatus> = new Set(['delivered', 'rejected', 'expired', 'cancelled', 'failed']);

export function isEnded(status: OrderStatus): boolean {
  return ENDED.has(status);
}

// The rider is shown from acceptance to hand-over and not a moment longer.
function carries(update: OrderUpdate): boolean {
  return update.deliveryPartnerId !== null && !isEnded(update.status);
}
