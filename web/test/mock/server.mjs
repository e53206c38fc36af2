// Serves the built app and enough of the API to look at its pages: `npm run mock`, then http://localhost:4173.
// Development and screenshots only; tests that count run against a real fleet.
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { Server } from 'socket.io';
import { createOrder, createWorld } from './world.mjs';

const DIST = new URL('../../dist/', import.meta.url).pathname;
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const STEPS = ['pending', 'confirmed', 'preparing', 'ready', 'picked_up', 'delivered'];
const CITIES = [
  ['San Francisco', 'CA', 'US', 37.7749, -122.4194],
  ['San Diego', 'CA', 'US', 32.7157, -117.1647],
  ['San Antonio', 'TX', 'US', 29.4241, -98.4936],
  ['San Luis Potosí', 'SLP', 'MX', 22.1498, -100.9792],
  ['Portland', 'OR', 'US', 45.5234, -122.6762],
  ['Portland', 'ME', 'US', 43.6615, -70.2553],
  ['Toronto', 'ON', 'CA', 43.7001, -79.4163],
];

export function startMock(port = 4173) {
  const world = createWorld();
  const tokens = new Map();
  const server = createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      try {
        answer(req, res, chunks.length ? JSON.parse(Buffer.concat(chunks)) : {});
      } catch (error) {
        problem(res, 500, String(error));
      }
    });
  });
  const io = new Server(server);
  io.on('connection', (socket) => {
    socket.on('subscribe-order', ({ orderId, since }, ack) => {
      const record = world.orders.get(orderId);
      if (!record) return ack({ error: { message: 'not found' } });
      socket.join(orderId);
      ack({ data: { orderId, status: record.order.status, seq: record.seq, location: record.fix } });
      if (since !== undefined)
        for (const update of record.updates.filter((u) => u.seq > since)) socket.emit('order-updated', update);
    });
    socket.on('unsubscribe-order', ({ orderId }) => socket.leave(orderId));
    socket.on('rider-location-update', (fix, ack) => {
      moveRider(fix.orderId, fix);
      ack?.({ data: { accepted: true } });
    });
  });

  const json = (res, status, body) => {
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(JSON.stringify(body));
  };
  const problem = (res, status, detail, extra = {}) => {
    res.writeHead(status, { 'content-type': 'application/problem+json' });
    res.end(JSON.stringify({ type: 'about:blank', title: detail, status, detail, instance: 'mock-1', ...extra }));
  };
  const session = (res, user, status = 200) => {
    const { password, ...open } = user;
    const token = `t${tokens.size}`;
    tokens.set(token, open);
    json(res, status, { user: open, token, refreshToken: `r-${token}`, expiresIn: 86400 });
  };

  function setStatus(id, status, actor) {
    const record = world.orders.get(id);
    record.history.push({
      from: record.order.status,
      to: status,
      actorId: actor?.id ?? null,
      actorRole: actor?.role ?? 'system',
      at: world.now(),
    });
    record.order = { ...record.order, status, updatedAt: world.now() };
    if (status === 'delivered') record.fix = null;
    tell(record);
    return record.order;
  }
  function tell(record) {
    record.seq++;
    const { id, status, deliveryPartnerId, estimatedDeliveryTime } = record.order;
    const update = {
      orderId: id,
      seq: record.seq,
      status,
      deliveryPartnerId,
      estimatedDeliveryTime,
      timestamp: world.now(),
    };
    record.updates.push(update);
    io.to(id).emit('order-updated', update);
  }
  function moveRider(id, { latitude, longitude, heading }) {
    const record = world.orders.get(id);
    record.fix = {
      orderId: id,
      deliveryPartnerId: world.rider.id,
      latitude,
      longitude,
      heading,
      timestamp: world.now(),
      etaMinutes: 7,
    };
    io.to(id).emit('location-updated', record.fix);
  }
  function assign(id) {
    const record = world.orders.get(id);
    record.order = { ...record.order, deliveryPartnerId: world.rider.id };
    tell(record);
  }

  function answer(req, res, body) {
    const url = new URL(req.url, 'http://x');
    const parts = url.pathname.split('/').filter(Boolean);
    const user = tokens.get((req.headers.authorization ?? '').replace('Bearer ', ''));
    const route = `${req.method} /${parts.map((p, i) => (i > 0 && /\d/.test(p) ? ':id' : p)).join('/')}`;
    const record = world.orders.get(parts[1]);
    switch (route) {
      case 'POST /auth/login': {
        const found = world.users.get(body.email);
        return found && found.password === body.password
          ? session(res, found)
          : problem(res, 401, 'wrong e-mail or password');
      }
      case 'POST /auth/register': {
        if (world.users.has(body.email)) return problem(res, 409, 'e-mail taken');
        if (!/^\S+@\S+$/.test(body.email))
          return problem(res, 422, 'invalid', { errors: [{ field: 'email', message: 'must be an e-mail address' }] });
        const made = { ...body, id: world.uuid(), createdAt: world.now(), updatedAt: world.now() };
        world.users.set(body.email, made);
        return session(res, made, 201);
      }
      case 'POST /auth/logout':
        return res.writeHead(204).end();
      case 'GET /cities': {
        const q = url.searchParams.get('q').toLowerCase();
        return json(res, 200, {
          cities: CITIES.filter(([n]) => n.toLowerCase().startsWith(q)).map(
            ([name, state, country, latitude, longitude]) => ({
              name,
              state,
              country,
              latitude,
              longitude,
              region: 'us-west',
            }),
          ),
        });
      }
      case 'GET /restaurants': {
        const q = (url.searchParams.get('q') ?? '').toLowerCase();
        const cuisine = url.searchParams.get('cuisine');
        const owner = url.searchParams.get('ownerUserId');
        return json(res, 200, {
          restaurants: world.restaurants
            .filter(
              (r) =>
                r.name.toLowerCase().includes(q) &&
                (!cuisine || r.cuisine === cuisine) &&
                (!owner || r.ownerUserId === owner),
            )
            .map((r) => (url.searchParams.has('latitude') ? { ...r, distanceKm: 1.234 } : r)),
        });
      }
      case 'GET /restaurants/:id':
        return json(
          res,
          200,
          world.restaurants.find((r) => r.id === parts[1]),
        );
      case 'PATCH /restaurants/:id':
        return json(
          res,
          200,
          Object.assign(
            world.restaurants.find((r) => r.id === parts[1]),
            body,
          ),
        );
      case 'GET /restaurants/:id/menu':
        return json(res, 200, { items: world.menus.get(parts[1]) });
      case 'POST /restaurants/:id/menu': {
        const item = { id: world.uuid(), restaurantId: parts[1], isAvailable: true, description: '', ...body };
        world.menus.get(parts[1]).push(item);
        return json(res, 201, item);
      }
      case 'PATCH /restaurants/:id/menu/:id':
        return json(
          res,
          200,
          Object.assign(
            world.menus.get(parts[1]).find((m) => m.id === parts[3]),
            body,
          ),
        );
      case 'POST /orders':
        if (!user) return problem(res, 401, 'sign in');
        if (body.deliveryAddress.length < 4)
          return problem(res, 422, 'invalid', {
            errors: [{ field: 'deliveryAddress', message: 'must have at least 4 characters' }],
          });
        return json(res, 201, createOrder(world, body, user.id).order);
      case 'GET /orders': {
        if (!user) return problem(res, 401, 'sign in');
        const status = url.searchParams.get('status');
        return json(res, 200, {
          orders: [...world.orders.values()]
            .map((r) => r.order)
            .filter((o) => !status || o.status === status)
            .reverse(),
        });
      }
      case 'GET /orders/:id':
        return !user
          ? problem(res, 401, 'sign in')
          : record
            ? json(res, 200, record.order)
            : problem(res, 404, 'no such order');
      case 'GET /orders/:id/history':
        return json(res, 200, { history: record.history });
      case 'PATCH /orders/:id/status':
        return json(res, 200, setStatus(parts[1], body.status, user));
      case 'GET /tracking/:id':
        return record
          ? json(res, 200, {
              orderId: parts[1],
              status: record.order.status,
              seq: record.seq,
              deliveryPartnerId: record.order.deliveryPartnerId,
              location: record.fix,
              etaMinutes: record.fix ? 7 : undefined,
            })
          : problem(res, 404, 'no such order');
      case 'GET /delivery/me':
        return json(res, 200, world.partner);
      case 'GET /delivery/assignments':
        return json(res, 200, {
          assignments: url.searchParams.get('history') ? (world.past ?? []) : world.assignments,
        });
      case 'PATCH /delivery/:id/availability':
        return json(res, 200, Object.assign(world.partner, body));
      case 'PATCH /delivery/:id/location':
        return json(res, 200, { recordedAt: world.now(), accepted: true });
      case 'POST /delivery/:id/accept':
        world.assignments[0].status = 'accepted';
        return json(res, 200, world.assignments[0]);
      case 'POST /delivery/:id/decline':
        return json(res, 200, world.assignments.shift());
      case 'GET /admin/overview':
        return json(res, 200, world.overview ?? {});
      default:
        return file(res, url.pathname);
    }
  }

  function file(res, path) {
    let name = join(DIST, path);
    try {
      if (!statSync(name).isFile()) throw new Error('folder');
    } catch {
      name = join(DIST, 'index.html');
    }
    res.writeHead(200, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
    });
    res.end(readFileSync(name));
  }

  return new Promise((resolve) => {
    server.listen(port, () =>
      resolve({
        world,
        port: server.address().port,
        io,
        setStatus,
        moveRider,
        assign,
        STEPS,
        stop: () => new Promise((done) => io.close(() => done())),
      }),
    );
  });
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const { port } = await startMock(Number(process.env.PORT ?? 4173));
  console.log(`http://localhost:${port} · customer@demo.tiffin / tiffin-demo`);
}
