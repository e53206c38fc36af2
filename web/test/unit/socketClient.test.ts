import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FeedState } from '@/tracking/feed';
import { connectTracking, followOrder, type Link, type TrackingSocket } from '@/utils/socketClient';

/** A real Socket.IO server that keeps one order's updates, as the edge does. */
class Edge {
  readonly http: HttpServer = createServer();
  readonly io = new Server(this.http, { cors: { origin: '*' }, pingInterval: 500, pingTimeout: 500 });
  readonly asked: { orderId: string; since?: number }[] = [];
  readonly updates = [this.#update(1, 'pending')];
  refuse = false;

  constructor() {
    this.io.use((socket, next) =>
      next(socket.handshake.auth.token === 'good' ? undefined : new Error('the token is not valid')),
    );
    this.io.on('connection', (socket: Socket) => {
      socket.on('subscribe-order', (request: { orderId: string; since?: number }, ack: (answer: object) => void) => {
        this.asked.push(request);
        if (this.refuse) return ack({ error: { message: 'not found' } });
        void socket.join(request.orderId);
        const last = this.updates.at(-1);
        ack({ data: { orderId: request.orderId, seq: last?.seq, status: last?.status, location: null } });
        for (const update of this.updates.slice(request.since ?? this.updates.length))
          socket.emit('order-updated', update);
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.http.listen(0, resolve));
    return `http://localhost:${(this.http.address() as AddressInfo).port}`;
  }

  /** The order moves on; `silent`: while nobody is connected, or the frame is lost. */
  move(status: string, silent = false): void {
    const update = this.#update(this.updates.length + 1, status);
    this.updates.push(update);
    if (!silent) this.io.to('o1').emit('order-updated', update);
  }

  /** The network breaks: no goodbye, sockets are just gone. */
  cut(): void {
    for (const socket of this.io.of('/').sockets.values()) socket.conn.transport.close();
  }

  #update(seq: number, status: string) {
    return {
      orderId: 'o1',
      seq,
      status,
      deliveryPartnerId: null,
      estimatedDeliveryTime: 30,
      timestamp: new Date().toISOString(),
    };
  }
}

let edge: Edge;
let tokens: {
  current: string;
  replaced: string[];
  token(): Promise<string>;
  replace(refused: string): Promise<string>;
};
let socket: TrackingSocket;
let states: FeedState[];
let links: Link[];
let stop: () => void;

beforeEach(async () => {
  edge = new Edge();
  const url = await edge.listen();
  tokens = {
    current: 'good',
    replaced: [],
    token: async () => tokens.current,
    replace: async (refused) => {
      tokens.replaced.push(refused);
      tokens.current = 'good';
      return tokens.current;
    },
  };
  socket = connectTracking(url, tokens);
  states = [];
  links = [];
});
afterEach(async () => {
  stop?.();
  socket.close();
  await edge.io.close();
});

function follow(): void {
  stop = followOrder(socket, 'o1', { onState: (state) => states.push(state), onLink: (link) => links.push(link) });
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000 });

test('it learns where the order stands and hears each step', async () => {
  follow();
  await until(() => expect(links).toEqual(['live']));
  edge.move('confirmed');
  edge.move('preparing');
  await until(() => expect(states.map((state) => state.status)).toEqual(['pending', 'confirmed', 'preparing']));
  expect(edge.asked).toEqual([{ orderId: 'o1' }]);
});

test('after a break it asks from the last number and misses no step', async () => {
  follow();
  await until(() => expect(links).toEqual(['live']));
  edge.move('confirmed');
  await until(() => expect(states.at(-1)?.seq).toBe(2));
  edge.cut();
  edge.move('preparing', true);
  edge.move('ready', true);
  await until(() =>
    expect(states.map((state) => state.status)).toEqual(['pending', 'confirmed', 'preparing', 'ready']),
  );
  expect(edge.asked.at(-1)).toEqual({ orderId: 'o1', since: 2 });
  expect(links).toEqual(['live', 'reconnecting', 'live']);
});

test('a lost frame is noticed by the next one and fetched', async () => {
  follow();
  await until(() => expect(links).toEqual(['live']));
  edge.move('confirmed', true);
  edge.move('preparing');
  await until(() => expect(edge.asked).toHaveLength(2));
  expect(edge.asked[1]).toEqual({ orderId: 'o1', since: 1 });
  await until(() => expect(states.at(-1)).toMatchObject({ seq: 3, status: 'preparing' }));
});

test('it comes back when the server closes the connection on purpose', async () => {
  follow();
  await until(() => expect(links).toEqual(['live']));
  edge.io.disconnectSockets(true);
  await until(() => expect(links).toEqual(['live', 'reconnecting', 'live']));
});

test('a refused token is renewed once, and then it is live', async () => {
  tokens.current = 'old';
  follow();
  await until(() => expect(links).toEqual(['reconnecting', 'live']));
  expect(tokens.replaced).toEqual(['old']);
});

test('a refused subscription is said and not repeated', async () => {
  edge.refuse = true;
  follow();
  await until(() => expect(links).toEqual(['refused']));
  expect(states).toEqual([]);
  expect(edge.asked).toHaveLength(1);
});

test('after stopping nothing is told any more', async () => {
  follow();
  await until(() => expect(links).toEqual(['live']));
  stop();
  const told = states.length;
  edge.move('confirmed');
  await until(() => expect(edge.updates).toHaveLength(2));
  expect(states).toHaveLength(told);
});
