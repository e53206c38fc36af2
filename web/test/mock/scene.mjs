// A working evening for pictures: an order on the road, a busy kitchen, a fleet with one shard down.
import { createOrder } from './world.mjs';

const SPOTS = [
  [43.65, -79.38, 'Toronto'],
  [19.43, -99.13, 'Mexico City'],
  [40.71, -74, 'New York City'],
  [41.88, -87.63, 'Chicago'],
  [30.27, -97.74, 'Austin'],
  [49.28, -123.12, 'Vancouver'],
  [20.66, -103.35, 'Guadalajara'],
  [34.05, -118.24, 'Los Angeles'],
  [45.5, -73.57, 'Montreal'],
  [25.76, -80.19, 'Miami'],
];
const SAN_FRANCISCO = JSON.stringify({ city: 'San Francisco', state: 'CA', latitude: 37.7749, longitude: -122.4194 });

/** Fills the mock's world and says which pages to look at: `{name: {path, storage, act}}`. */
export async function dress(mock, base) {
  const { world } = mock;
  const restaurant = world.restaurants[4];
  const menu = world.menus.get(restaurant.id);
  const place = (dishes, at = { latitude: 37.7889, longitude: -122.4039 }, city = 'San Francisco') =>
    createOrder(world, {
      restaurantId: restaurant.id,
      items: dishes.map(([index, quantity]) => ({ menuItemId: menu[index].id, quantity })),
      deliveryAddress: '88 Kearny St, floor 5',
      city,
      ...at,
    });
  const advance = ({ order }, steps) => {
    for (const status of mock.STEPS.slice(1, steps + 1)) mock.setStatus(order.id, status, world.owner);
  };

  const moving = place([
    [2, 2],
    [6, 1],
  ]);
  mock.assign(moving.order.id);
  advance(moving, 4);
  mock.moveRider(moving.order.id, { latitude: 37.7722, longitude: -122.4155, heading: 40 });
  const done = place([
    [3, 1],
    [8, 2],
  ]);
  advance(done, 5);
  const offered = place([
    [4, 1],
    [7, 1],
  ]);
  place([[5, 2]]);
  advance(
    place([
      [2, 1],
      [0, 1],
    ]),
    1,
  );
  advance(place([[3, 3]]), 2);
  advance(place([[4, 2]]), 3);
  SPOTS.forEach(([latitude, longitude, city], i) => {
    advance(place([[0, 1]], { latitude, longitude }, city), i % 6);
  });
  world.partner.isAvailable = true;
  world.assignments.push(assignment(world, restaurant, offered.order));
  world.overview = overview(offered.order.id);

  const session = async (email) => {
    const answer = await fetch(`${base}/auth/login`, {
      method: 'POST',
      body: JSON.stringify({ email, password: 'tiffin-demo' }),
    });
    const { user, token, refreshToken } = await answer.json();
    return { 'tiffin.session': JSON.stringify({ user, token, refreshToken, expiresAt: Date.now() + 8e7 }) };
  };
  const { id, name, city, latitude, longitude } = restaurant;
  const cart = {
    restaurant: { id, name, city, latitude, longitude },
    lines: [
      { menuItemId: menu[2].id, name: menu[2].name, unitPrice: 1790, quantity: 2 },
      { menuItemId: menu[6].id, name: menu[6].name, unitPrice: 525, quantity: 1 },
    ],
    key: 'k',
  };
  const eater = {
    ...(await session('customer@demo.tiffin')),
    'tiffin.place': SAN_FRANCISCO,
    'tiffin.cart': JSON.stringify(cart),
  };
  const owner = { ...(await session('owner@demo.tiffin')), 'tiffin.kitchen': id };
  const rider = { ...(await session('rider@demo.tiffin')), 'tiffin.rider.source': 'simulated' };
  const admin = await session('admin@demo.tiffin');
  const tab = (label) => async (page) => {
    await page.getByRole('tab', { name: label }).click();
    await page.waitForTimeout(800);
  };
  const ride = async (page) => {
    for (let i = 1; i <= 6; i++) {
      mock.moveRider(moving.order.id, {
        latitude: 37.7722 + i * 0.0012,
        longitude: -122.4155 + i * 0.0008,
        heading: 35,
      });
      await page.waitForTimeout(350);
    }
  };
  const find = async (page) => {
    await page.getByPlaceholder('Order id').fill(done.order.id);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.waitForTimeout(600);
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  };
  return {
    welcome: { path: '/' },
    'sign-in': { path: '/sign-in' },
    register: { path: '/register' },
    restaurants: { path: '/', storage: eater },
    orders: { path: '/?tab=orders', storage: eater },
    restaurant: { path: `/r/${id}`, storage: eater },
    checkout: { path: '/checkout', storage: eater },
    tracking: { path: `/track/${moving.order.id}`, storage: eater, act: ride },
    delivered: { path: `/track/${done.order.id}`, storage: eater },
    rider: { path: '/rider', storage: rider },
    kitchen: { path: '/kitchen', storage: owner },
    menu: { path: '/kitchen', storage: owner, act: tab('Menu') },
    details: { path: '/kitchen', storage: owner, act: tab('Details') },
    operations: { path: '/operations', storage: admin },
    story: { path: '/operations', storage: admin, act: find },
  };
}

function assignment(world, restaurant, order) {
  const { id, name, address, latitude, longitude } = restaurant;
  return {
    orderId: order.id,
    partnerId: world.rider.id,
    status: 'offered',
    offeredAt: world.now(),
    // The countdown shows a plausible number for as long as pictures are taken.
    get offerExpiresAt() {
      return new Date(Date.now() + 24_000).toISOString();
    },
    order,
    restaurant: { id, name, address, latitude, longitude },
    dropoff: { address: order.deliveryAddress, latitude: order.latitude, longitude: order.longitude },
  };
}

function overview(stuckId) {
  const ok = { status: 'ok' };
  const services = ['auth', 'bridge', 'delivery', 'order', 'restaurant', 'tracking'];
  const checks = ['nats', 'redis', 'rabbitmq', 'mongodb', 'postgres.a', 'postgres.b', 'postgres.c', ...services];
  const endpoint = (name, requests, errors, averageMs) => ({ name, requests, errors, averageMs });
  return {
    get at() {
      return new Date(Date.now() - 1000).toISOString();
    },
    readiness: { status: 'ok', checks: Object.fromEntries(checks.map((name) => [name, ok])) },
    services: services.map((name, i) => ({
      name,
      instances: Array.from({ length: 1 + (i % 3) }, (_, n) => ({
        id: `${name}${n}`,
        version: '1.0.0',
        startedAt: new Date().toISOString(),
        requests: 1200 * i + 30,
        errors: i % 2,
        averageMs: 2.3 + i,
        endpoints: [endpoint('get', 1000 * i + 20, i % 2, 2 + i / 3), endpoint('list', 200 * i + 10, 0, 5.2)],
      })),
    })),
    shards: [
      { id: 'a', regions: ['us-west', 'ca'], healthy: true },
      { id: 'b', regions: ['us-east', 'us-central'], healthy: true },
      { id: 'c', regions: ['us-south', 'mx'], healthy: true },
    ],
    bridge: { connected: true, relayed: 12841, lag: 0, oldestSeconds: 0, deadLettered: 0 },
    orders: {
      orders: {
        pending: 4,
        confirmed: 3,
        preparing: 8,
        ready: 2,
        picked_up: 6,
        delivered: 1843,
        rejected: 12,
        expired: 4,
        cancelled: 31,
        failed: 2,
      },
      stuck: [
        { orderId: stuckId, status: 'ready', city: 'Toronto', updatedAt: new Date(Date.now() - 4e6).toISOString() },
      ],
      stuckTotal: 1,
      unavailableShards: [],
    },
    riders: {
      riders: { free: 7, offered: 2, carrying: 6, silent: 1, offline: 14 },
      waitingOrders: 1,
      oldestWaitSeconds: 22,
      unavailableShards: [],
    },
    unavailable: [],
  };
}
