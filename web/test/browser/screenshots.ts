import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Order, SessionAnswer } from '../../src/api/types';
import {
  acceptOffer,
  declineOffer,
  goOffline,
  goOnline,
  kitchenOf,
  login,
  newcomer,
  offerTo,
  order,
  report,
  setStatus,
  storage,
} from './api';
import { BASE, launch, person, SAN_FRANCISCO } from './fleet';
import { BINARY } from './up';

const OUT = new URL('../../screenshots/', import.meta.url).pathname;
const HOME = { latitude: 37.7889, longitude: -122.4039 };

let browser: Browser;
let customer: SessionAnswer;
let owner: SessionAnswer;
let rider: SessionAnswer;
let admin: SessionAnswer;
let kitchen: Awaited<ReturnType<typeof kitchenOf>>;
let moving: Order;
let done: Order;

/** An evening: one order on the road, one eaten, some in the kitchen, and other cities busy too. */
beforeAll(async () => {
  mkdirSync(OUT, { recursive: true });
  browser = await launch();
  [customer, owner, admin] = [
    await login('customer@demo.tiffin'),
    await login('owner@demo.tiffin'),
    await login('admin@demo.tiffin'),
  ];
  kitchen = await kitchenOf(owner, 'San Francisco');
  for (const name of ['rider', 'rider1.san-francisco', 'rider2.san-francisco'])
    await goOffline(await login(`${name}@demo.tiffin`));
  rider = await newcomer('delivery_partner', 'San Francisco');
  await goOnline(rider, kitchen.restaurant);
  done = await place();
  await carry(done);
  await cook(done);
  await setStatus(rider.token, done.id, 'picked_up');
  await setStatus(rider.token, done.id, 'delivered');
  moving = await place();
  await carry(moving);
  await cook(moving);
  await setStatus(rider.token, moving.id, 'picked_up');
  await place();
  await setStatus(owner.token, (await place()).id, 'confirmed');
  const cooking = await place();
  await setStatus(owner.token, cooking.id, 'confirmed');
  await setStatus(owner.token, cooking.id, 'preparing');
});
afterAll(() => browser.close());

const place = () => order(customer.token, kitchen.restaurant, kitchen.dishes.slice(0, 3), HOME);

async function cook({ id }: Order): Promise<void> {
  for (const status of ['confirmed', 'preparing', 'ready'] as const) await setStatus(owner.token, id, status);
}

/** The rider takes this order, and leaves those to others that have waited longer, as demo data has. */
async function carry({ id }: Order): Promise<void> {
  for (;;) {
    const offered = await offerTo(rider);
    if (offered === id) return acceptOffer(rider, id);
    await declineOffer(rider, offered);
  }
}

interface Scene {
  path: string;
  storage: Record<string, string>;
  act?: (page: Page) => Promise<void>;
}

/** Takes a page on desk and phone, light and dark. */
async function take(name: string, scene: Scene): Promise<void> {
  for (const phone of [false, true]) {
    for (const dark of [false, true]) {
      const { page, context } = await person(browser, { phone, dark, storage: scene.storage });
      await page.goto(scene.path);
      await page.locator('main').locator('h1, h2').first().waitFor();
      await page.waitForTimeout(1500);
      await scene.act?.(page);
      await page.screenshot({ path: `${OUT}${name}-${phone ? 'phone' : 'desk'}-${dark ? 'dark' : 'light'}.png` });
      await context.close();
    }
  }
}

const eater = () => {
  const { id, name, city, latitude, longitude } = kitchen.restaurant;
  const lines = kitchen.dishes.slice(0, 2).map((dish, i) => ({
    menuItemId: dish.id,
    name: dish.name,
    unitPrice: Math.round(dish.price * 100),
    quantity: 2 - i,
  }));
  const cart = { restaurant: { id, name, city, latitude, longitude }, lines, key: 'k' };
  return { ...storage(customer), ...SAN_FRANCISCO, 'tiffin.cart': JSON.stringify(cart) };
};
const chef = () => ({ ...storage(owner), 'tiffin.kitchen': kitchen.restaurant.id });

/** The rider on the way from kitchen to door, `part` of it behind. */
function ride(part: number): Promise<unknown> {
  const { latitude, longitude } = kitchen.restaurant;
  return report(rider, {
    latitude: latitude + (HOME.latitude - latitude) * part,
    longitude: longitude + (HOME.longitude - longitude) * part,
    heading: 35,
  });
}

describe('pictures', () => {
  test('for everybody', async () => {
    await take('welcome', { path: '/', storage: {} });
    await take('sign-in', { path: '/sign-in', storage: {} });
    await take('register', { path: '/register', storage: {} });
  });
  test('of customers', async () => {
    await take('restaurants', { path: '/', storage: eater() });
    await take('orders', { path: '/?tab=orders', storage: eater() });
    await take('restaurant', { path: `/r/${kitchen.restaurant.id}`, storage: eater() });
    await take('checkout', { path: '/checkout', storage: eater() });
    let part = 0.1;
    const act = async (page: Page) => {
      for (let i = 0; i < 5; i++) {
        part += 0.025;
        await ride(part);
        await page.waitForTimeout(1200);
      }
    };
    await take('tracking', { path: `/track/${moving.id}`, storage: eater(), act });
    await take('delivered', { path: `/track/${done.id}`, storage: eater() });
  });
  test('of riders', async () => {
    await take('job', { path: '/rider', storage: { ...storage(rider), 'tiffin.rider.source': 'simulated' } });
    const free = await newcomer('delivery_partner', 'San Francisco');
    await goOnline(free, kitchen.restaurant);
    await place();
    await offerTo(free);
    await take('rider', { path: '/rider', storage: { ...storage(free), 'tiffin.rider.source': 'simulated' } });
  });
  test('of owners', async () => {
    const tab = (name: string) => async (page: Page) => {
      await page.getByRole('tab', { name }).click();
      await page.waitForTimeout(800);
    };
    await take('kitchen', { path: '/kitchen', storage: chef() });
    await take('menu', { path: '/kitchen', storage: chef(), act: tab('Menu') });
    await take('details', { path: '/kitchen', storage: chef(), act: tab('Details') });
  });
  test('of operations', async () => {
    const sim = spawn(
      'setpriv',
      ['--pdeathsig', 'TERM', BINARY, 'sim', '--edge', BASE, '--orders-per-minute', '60', '--speed', '10'],
      { stdio: 'ignore' },
    );
    const gone = once(sim, 'exit');
    await new Promise((resolve) => setTimeout(resolve, 45_000));
    await take('operations', { path: '/operations', storage: storage(admin) });
    const act = async (page: Page) => {
      await page.getByRole('textbox', { name: 'Order id' }).fill(done.id);
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByText('Rider accepted').waitFor();
      await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
      await page.waitForTimeout(300);
    };
    await take('story', { path: '/operations', storage: storage(admin), act });
    sim.kill('SIGINT');
    await gone;
  });
});
