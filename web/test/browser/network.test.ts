import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kitchenIn, login, order, setStatus, storage } from './api';
import { Cable } from './cable';
import { launch, person } from './fleet';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test('a cut network is said, and what happened meanwhile is there when it is back', async () => {
  const [customer, owner] = [await login('customer@demo.tiffin'), await login('owner@demo.tiffin')];
  const { restaurant, dish } = await kitchenIn('San Francisco');
  const { id } = await order(customer.token, restaurant, dish);
  const cable = new Cable();
  const base = await cable.plugIn();
  try {
    const { page } = await person(browser, { base, storage: storage(customer) });
    await page.goto(`/track/${id}`);
    const link = page.locator('[data-link]');
    await page.locator('[data-link=live]').waitFor();
    await page.getByRole('heading', { name: 'Waiting for the restaurant' }).waitFor();

    cable.pull();
    await page.locator('[data-link=reconnecting]').waitFor({ timeout: 30_000 });
    expect(await link.textContent()).toMatch(/^Reconnecting, last heard /);
    await setStatus(owner.token, id, 'confirmed');
    await setStatus(owner.token, id, 'preparing');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Waiting for the restaurant');

    cable.mend();
    await page.locator('[data-link=live]').waitFor({ timeout: 15_000 });
    await page.getByRole('heading', { name: 'Your food is being cooked' }).waitFor();
    // Not only the newest: the steps in between have their times too.
    await page.getByRole('listitem').filter({ hasText: 'Confirmed by the restaurant' }).locator('time').waitFor();
  } finally {
    await setStatus(owner.token, id, 'cancelled');
    await cable.close();
  }
});

test('an order placed while the answer is lost is placed once', async () => {
  const customer = await login('customer@demo.tiffin');
  const { restaurant, dish } = await kitchenIn('San Francisco');
  const cart = {
    restaurant: {
      id: restaurant.id,
      name: restaurant.name,
      city: restaurant.city,
      latitude: restaurant.latitude,
      longitude: restaurant.longitude,
    },
    lines: [{ menuItemId: dish.id, name: dish.name, unitPrice: Math.round(dish.price * 100), quantity: 1 }],
    key: `web-${Date.now()}`,
  };
  const { page, context } = await person(browser, {
    storage: { ...storage(customer), 'tiffin.cart': JSON.stringify(cart) },
  });
  const placed: string[] = [];
  let lost = false;
  await context.route('**/orders', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const answer = await route.fetch();
    placed.push(((await answer.json()) as { id: string }).id);
    if (lost) return route.fulfill({ response: answer });
    lost = true;
    await route.abort('connectionreset');
  });
  await page.goto('/checkout');
  await page.getByLabel('Address for the rider').fill('9 Lost Lane');
  const button = page.getByRole('button', { name: /^Order for/ });
  await button.click();
  await page.getByRole('alert').filter({ hasText: 'No connection to the server' }).waitFor();
  await button.click();
  await page.waitForURL(/\/track\//);
  expect(placed).toHaveLength(2);
  expect(placed[0]).toBe(placed[1]);
  await setStatus(customer.token, placed[0] as string, 'cancelled');
});

test('two tabs whose token is refused refresh once and both stay signed in', async () => {
  const customer = await login('customer@demo.tiffin');
  const { page, context } = await person(browser, { storage: storage({ ...customer, token: `${customer.token}x` }) });
  const refreshes: string[] = [];
  context.on('request', (request) => {
    if (request.url().endsWith('/auth/refresh')) refreshes.push(request.url());
  });
  await page.goto('/sign-in');
  const other = await context.newPage();
  await Promise.all([page.goto('/?tab=orders'), other.goto(`${new URL(page.url()).origin}/?tab=orders`)]);
  for (const tab of [page, other]) {
    await tab.getByRole('button', { name: /^Account of/ }).waitFor();
    await tab
      .getByRole('tabpanel')
      .getByText(/Earlier|On the way|No orders yet/)
      .first()
      .waitFor();
  }
  expect(refreshes).toHaveLength(1);
});
