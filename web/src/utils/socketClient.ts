import { io, type Socket } from 'socket.io-client';
import type { Fix, OrderStatus, OrderUpdate } from '@/api/types';
import { applyFix, applySnapshot, applyUpdate, EMPTY_FEED, type FeedState } from '@/tracking/feed';
import { sessionKeeper } from './apiClient';

/** `refused`: the server will not let this session watch that order; waiting does not help. */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'refused';

interface SubscribeAck {
  data?: { orderId: string; location?: Fix | null; status: OrderStatus; seq: number };
  error?: { message: string };
}

export interface ServerEvents {
  'location-updated': (fix: Fix) => void;
  'order-updated': (update: OrderUpdate) => void;
  error: (error: { message: string }) => void;
}

export interface LocationUpdate {
  orderId: string;
  deliveryPartnerId: string;
  latitude: number;
  longitude: number;
  timestamp?: string;
  accuracy?: number;
  heading?: number;
  speed?: number;
}

export interface ClientEvents {
  'subscribe-order': (order: { orderId: string; since?: number }, ack: (answer: SubscribeAck) => void) => void;
  'unsubscribe-order': (order: { orderId: string }) => void;
  'rider-location-update': (
    update: LocationUpdate,
    ack: (answer: { data?: { accepted?: boolean; reason?: string }; error?: { message: string } }) => void,
  ) => void;
}

export type TrackingSocket = Socket<ServerEvents, ClientEvents>;

const ACK_TIMEOUT_MS = 8_000;
const RETRY_MS = 2_000;

interface Tokens {
  token(): Promise<string | null>;
  replace(refused: string): Promise<string | null>;
}

/**
 * One connection for the whole page. It asks for a token on every attempt, so a renewed session is
 * used. The library comes back by itself from a lost network; where the server ended it (the token
 * ran out, the edge is going away) or refused the handshake, coming back is up to us.
 */
export function connectTracking(
  url = import.meta.env.VITE_TRACKING_URL ?? '',
  tokens: Tokens = sessionKeeper,
): TrackingSocket {
  let given: string | null = null;
  let renewed: Promise<unknown> = Promise.resolve();
  const options = {
    auth: (give: (data: object) => void) => {
      const send = (token: string | null) => {
        given = token;
        give(token ? { token } : {});
      };
      renewed.then(() => tokens.token()).then(send, () => send(null));
    },
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    randomizationFactor: 0.5,
  };
  const socket: TrackingSocket = url ? io(url, options) : io(options);
  let retry: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const comeBack = () => {
    clearTimeout(retry);
    retry = setTimeout(() => closed || socket.connect(), RETRY_MS);
  };
  socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect') comeBack();
    if (reason === 'io client disconnect') closed = true;
  });
  socket.on('connect_error', () => {
    if (socket.active) return;
    // Refused, most likely for the token: this clock may think it still good.
    if (given) renewed = tokens.replace(given).catch(() => null);
    comeBack();
  });
  return socket;
}

let shared: TrackingSocket | null = null;
let users = 0;

/** Borrows the page's connection; the last one to give it back closes it. */
export function borrowSocket(): { socket: TrackingSocket; release: () => void } {
  shared ??= connectTracking();
  users++;
  let held = true;
  return {
    socket: shared,
    release() {
      if (!held) return;
      held = false;
      users--;
      if (users > 0) return;
      shared?.close();
      shared = null;
    },
  };
}

export interface OrderFeedListener {
  onState(state: FeedState): void;
  onLink(link: Link): void;
}

/**
 * Follows one order over a connection that may break at any time. After each (re)connect it
 * subscribes with the last sequence number seen, so that what happened meanwhile arrives too.
 * Returns the way to stop.
 */
export function followOrder(socket: TrackingSocket, orderId: string, listener: OrderFeedListener): () => void {
  let state = EMPTY_FEED;
  let stopped = false;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const set = (next: FeedState) => {
    if (stopped || next === state) return;
    state = next;
    listener.onState(state);
  };

  const subscribe = () => {
    clearTimeout(retry);
    const request = state.seq > 0 ? { orderId, since: state.seq } : { orderId };
    socket.timeout(ACK_TIMEOUT_MS).emit('subscribe-order', request, (lost: Error | null, answer?: SubscribeAck) => {
      if (stopped) return;
      if (answer?.data) {
        set(applySnapshot(state, answer.data));
        listener.onLink('live');
      } else if (answer?.error) listener.onLink('refused');
      else if (lost && socket.connected) retry = setTimeout(subscribe, RETRY_MS);
    });
  };
  const onLost = () => listener.onLink('reconnecting');
  const onFix = (fix: Fix) => {
    if (fix.orderId === orderId) set(applyFix(state, fix));
  };
  const onUpdate = (update: OrderUpdate) => {
    if (update.orderId !== orderId) return;
    const { state: next, gap } = applyUpdate(state, update);
    if (gap) subscribe();
    set(next);
  };

  socket.on('connect', subscribe);
  socket.on('disconnect', onLost);
  socket.on('connect_error', onLost);
  socket.on('location-updated', onFix);
  socket.on('order-updated', onUpdate);
  if (socket.connected) subscribe();

  return () => {
    stopped = true;
    clearTimeout(retry);
    socket.off('connect', subscribe);
    socket.off('disconnect', onLost);
    socket.off('connect_error', onLost);
    socket.off('location-updated', onFix);
    socket.off('order-updated', onUpdate);
    if (socket.connected) socket.emit('unsubscribe-order', { orderId });
  };
}
