import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { declineOffer, goOnline, login, newcomer, openKitchen, order, setStatus, storage } from './api';
import { launch, person, signIn } from './fleet';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

// Far from the demo's riders, so that offers go to ours.
const CHICO = { city: 'Chico', at: { latitude: 39.7285, longitude: -121.8375 } };

test('an owner rejects with a reason, and the customer reads it', async () => {
  const [owner, customer] = [await newcomer('restaurant_owner', CHICO.city), await newcomer('customer', CHICO.city)];
  const { restaurant, dish } = await openKitchen(owner.token, CHICO.city, CHICO.at);
  const placed = await order(customer.token, restaurant, dish);
  const eater = await person(browser, { storage: storage(customer), phone: true });
  await eater.page.goto(`/track/${placed.id}`);
  await eater.page.getByRole('heading', { name: 'Waiting for the restaurant' }).waitFor();

  const { page } = await person(browser, { storage: storage(owner) });
  await page.goto('/kitchen');
  await page.getByRole('button', { name: 'Reject' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Too busy' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click();
  await page.getByRole('heading', { name: 'All quiet' }).waitFor();

  await eater.page.getByRole('heading', { name: 'The restaurant could not take it' }).waitFor();
  await eater.page.getByText('“Too busy”').waitFor();
});

test('an owner closes the kitchen and marks a dish as sold out; guests see both', async () => {
  const owner = await newcomer('restaurant_owner', CHICO.city);
  const { restaurant } = await openKitchen(owner.token, CHICO.city, CHICO.at);
  const { page } = await person(browser, { storage: storage(owner) });
  await page.goto('/kitchen');
  await page.getByRole('tab', { name: 'Menu' }).click();
  await page.getByText('Available', { exact: true }).click();
  await page.getByText('Sold out', { exact: true }).waitFor();
  await page.getByText('Open for orders').click();
  await page.getByText('Closed', { exact: true }).waitFor();

  const guest = await person(browser);
  await guest.page.goto(`/r/${restaurant.id}`);
  await guest.page.getByText('Closed now').waitFor();
  await guest.page.getByText('Sold out').waitFor();
  expect(await guest.page.getByRole('button', { name: /to the basket$/ }).count()).toBe(0);
});

test('a rider is offered an order, declines it, and goes offline', async () => {
  const [owner, customer, rider] = [
    await newcomer('restaurant_owner', CHICO.city),
    await newcomer('customer', CHICO.city),
    await newcomer('delivery_partner', CHICO.city),
  ];
  const { restaurant, dish } = await openKitchen(owner.token, CHICO.city, CHICO.at);
  const { page } = await person(browser, {
    storage: { ...storage(rider), 'tiffin.rider.source': 'simulated' },
    phone: true,
  });
  await page.goto('/rider');
  await page.getByText('Take orders').click();
  await page.getByRole('heading', { name: 'You are online' }).waitFor();
  const placed = await order(customer.token, restaurant, dish);
  try {
    await page.getByRole('heading', { name: 'New order for you' }).waitFor({ timeout: 20_000 });
    expect(Number(await page.getByRole('timer').textContent())).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Decline' }).click();
    await page.getByRole('heading', { name: 'Looking for an order near you' }).waitFor();
    await page.getByText('Take orders').click();
    await page.getByRole('heading', { name: 'You are offline' }).waitFor();
  } finally {
    await setStatus(customer.token, placed.id, 'cancelled');
  }
});

test('an administrator sees the fleet and finds an order’s story', async () => {
  const customer = await newcomer('customer', CHICO.city);
  const owner = await newcomer('restaurant_owner', CHICO.city);
  const { restaurant, dish } = await openKitchen(owner.token, CHICO.city, CHICO.at);
  const rider = await newcomer('delivery_partner', CHICO.city);
  await goOnline(rider, CHICO.at);
  const placed = await order(customer.token, restaurant, dish);
  await declineOffer(rider, placed.id);
  await setStatus(owner.token, placed.id, 'confirmed');
  await setStatus(customer.token, placed.id, 'cancelled');

  const { page, complaints } = await person(browser);
  await signIn(page, 'admin@demo.tiffin');
  await page.waitForURL(/\/operations/);
  for (const name of ['auth', 'bridge', 'delivery', 'order', 'restaurant', 'tracking']) {
    await page.locator('summary').filter({ hasText: name }).first().waitFor();
  }
  await page.getByRole('textbox', { name: 'Order id' }).fill(placed.id);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByRole('img', { name: 'Rider, Free, Chico' }).first().waitFor({ state: 'attached' });
  for (const step of [
    'Waiting',
    'Offered to a rider',
    'Rider declined',
    'Waiting → Confirmed',
    'Confirmed → Cancelled',
  ]) {
    await page.getByRole('listitem').filter({ hasText: step }).first().waitFor();
  }
  expect(complaints).toEqual([]);
});

test('pages of one role are closed to others, with a way on', async () => {
  const customer = await login('customer@demo.tiffin');
  const { page } = await person(browser, { storage: storage(customer) });
  await page.goto('/operations');
  await page.getByRole('heading', { name: 'This page is for another role: Administrator' }).waitFor();
  const stranger = await person(browser);
  await stranger.page.goto('/checkout');
  await stranger.page.waitForURL(/\/sign-in/);
});
