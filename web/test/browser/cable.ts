import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { BASE } from './fleet';

const target = new URL(BASE);

/**
 * A network cable between a browser and the fleet, to be pulled: while it is out, open connections
 * die without goodbye and new ones find nobody. (The browser's own offline switch leaves open
 * WebSockets alone.) Requests are passed on as coming from the fleet's own page.
 */
export class Cable {
  #out = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((incoming, outgoing) => {
    const onward = request(
      {
        host: target.hostname,
        port: target.port || 80,
        method: incoming.method,
        path: incoming.url,
        headers: own(incoming),
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });

  constructor() {
    this.#server.on('connection', (socket) => {
      if (this.#out) return socket.destroy();
      this.#hold(socket);
    });
    this.#server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      const onward = connect(Number(target.port || 80), target.hostname, () => {
        const lines = Object.entries(own(incoming)).map(([name, value]) => `${name}: ${String(value)}`);
        onward.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
        onward.write(head);
        socket.pipe(onward).pipe(socket);
      });
      this.#hold(onward);
      onward.on('error', () => socket.destroy());
    });
  }

  async plugIn(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, resolve));
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  pull(): void {
    this.#out = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#out = false;
  }

  close(): Promise<void> {
    this.pull();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }
}

function own(incoming: IncomingMessage) {
  return { ...incoming.headers, host: target.host, ...(incoming.headers.origin && { origin: target.origin }) };
}
