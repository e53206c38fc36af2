import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { login, newcomer, openKitchen, order, setStatus, storage } from './api';
import { launch, person, pickCity, SAN_FRANCISCO } from './fleet';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const REDDING = { city: 'Redding', at: { latitude: 40.5865, longitude: -122.3917 } };

test('mistakes are said beside their fields, by the page and by the server', async () => {
  const { page } = await person(browser);
  await page.goto('/register');
  const create = page.getByRole('button', { name: 'Create account' });
  await create.click();
  const email = page.getByLabel('E-mail');
  const said = async (field: typeof email) => {
    const id = await field.getAttribute('aria-describedby');
    return page.locator(`[id="${id?.split(' ').at(-1)}"]`).innerText();
  };
  expect(await email.getAttribute('aria-invalid')).toBe('true');
  expect(await said(email)).not.toBe('');

  await page.getByText('Order food', { exact: true }).click();
  await page.getByLabel('First name').fill('Test');
  await page.getByLabel('Last name').fill('Twice');
  await page.getByLabel('Phone number').fill('+14155550134');
  await page.getByLabel('Password').fill('a-long-password');
  await pickCity(page, 'Redding');
  await email.fill('customer@demo.tiffin');
  await create.click();
  await page
    .getByText(/already/i)
    .first()
    .waitFor();
  await email.fill('not an address');
  await create.click();
  await page.waitForFunction(
    () => document.querySelector('input[type=email]')?.getAttribute('aria-invalid') === 'true',
  );
  expect(new URL(page.url()).pathname).toBe('/register');
});

test('a customer finds food by word, kind and position, and the basket outlives a reload', async () => {
  const { page, context, complaints } = await person(browser, { storage: SAN_FRANCISCO, phone: true });
  await context.grantPermissions(['geolocation']);
  await context.setGeolocation({ latitude: 37.7749, longitude: -122.4194 });
  await page.goto('/');
  const cards = page.getByRole('region', { name: 'Restaurants' }).getByRole('heading');
  await cards.first().waitFor();
  const names = await cards.allInnerTexts();
  const word = names.at(-1) as string;
  await page.getByRole('searchbox', { name: 'Search restaurants' }).fill(word);
  await page.waitForFunction(
    (count) => document.querySelectorAll('main section h2, main section h3').length < count,
    names.length,
  );
  expect(await cards.allInnerTexts()).toContain(word);
  await page.getByRole('searchbox').fill('nothing of that name');
  await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
  await page.getByRole('button', { name: 'Show everything' }).click();
  const kind = page.getByRole('group', { name: 'Cuisine' }).getByRole('button').first();
  await kind.click();
  expect(await kind.getAttribute('aria-pressed')).toBe('true');
  await kind.click();

  await page
    .getByRole('button', { name: /Change place|San Francisco/ })
    .first()
    .click();
  await page.getByRole('button', { name: 'Use my position' }).click();
  await page.getByRole('heading', { name: 'What is cooking near you' }).waitFor();
  await page
    .getByText(/\d (km|m|mi)\b/)
    .first()
    .waitFor();

  await cards.first().click();
  await page
    .getByRole('button', { name: /to the basket$/ })
    .first()
    .click();
  await page
    .getByRole('link', { name: /basket|checkout/i })
    .first()
    .waitFor();
  await page.reload();
  await page
    .getByRole('link', { name: /basket|checkout/i })
    .first()
    .click();
  await page.waitForURL(/\/checkout|\/sign-in/);
  expect(complaints).toEqual([]);
});

test('an owner hears a new order, changes a price and takes a dish off the menu', async () => {
  const [owner, customer] = [
    await newcomer('restaurant_owner', REDDING.city),
    await newcomer('customer', REDDING.city),
  ];
  const { restaurant, dish } = await openKitchen(owner.token, REDDING.city, REDDING.at);
  const { page } = await person(browser, { storage: storage(owner) });
  // What the loudspeaker would get.
  await page.addInitScript(() => {
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      document.documentElement.dataset.tones = String(Number(document.documentElement.dataset.tones ?? 0) + 1);
      start.call(this, when);
    };
  });
  await page.goto('/kitchen');
  await page.getByRole('heading', { name: 'All quiet' }).click();
  const placed = await order(customer.token, restaurant, dish);
  await page.getByRole('button', { name: 'Confirm' }).waitFor();
  await page.locator('html[data-tones]').waitFor();
  await setStatus(customer.token, placed.id, 'cancelled');
  await page.getByRole('heading', { name: 'All quiet' }).waitFor();

  await page.getByRole('tab', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Change Stew' }).click();
  await page.getByLabel('Price').fill('11.25');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('$11.25').waitFor();
  await page.getByRole('button', { name: 'Remove Stew' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('heading', { name: 'The menu is still being written' }).waitFor();
});

test('a list of orders follows what happens over the socket', async () => {
  const [owner, customer] = [
    await newcomer('restaurant_owner', REDDING.city),
    await newcomer('customer', REDDING.city),
  ];
  const { restaurant, dish } = await openKitchen(owner.token, REDDING.city, REDDING.at);
  const placed = await order(customer.token, restaurant, dish);
  const { page } = await person(browser, { storage: storage(customer) });
  await page.goto('/?tab=orders');
  const card = page.getByRole('tabpanel').getByRole('link').filter({ hasText: restaurant.name });
  await card.getByText('Waiting').waitFor();
  // The list itself is asked for once a minute only.
  await setStatus(owner.token, placed.id, 'confirmed');
  await card.getByText('Confirmed').waitFor({ timeout: 15_000 });
  await setStatus(owner.token, placed.id, 'cancelled');
});

test('a tracking link opens for whoever may see the order, and for nobody else', async () => {
  const [owner, customer] = [
    await newcomer('restaurant_owner', REDDING.city),
    await newcomer('customer', REDDING.city),
  ];
  const { restaurant, dish } = await openKitchen(owner.token, REDDING.city, REDDING.at);
  const placed = await order(customer.token, restaurant, dish);
  const { page, context } = await person(browser, { storage: storage(customer) });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`/track/${placed.id}`);
  await page.getByRole('button', { name: 'Share this page' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(link).pathname).toBe(`/track/${placed.id}`);

  const cook = await person(browser, { storage: storage(owner), phone: true });
  await cook.page.goto(link);
  await cook.page.getByRole('heading', { name: 'Waiting for the restaurant' }).waitFor();
  const stranger = await person(browser, { storage: storage(await login('customer@demo.tiffin')) });
  await stranger.page.goto(link);
  await stranger.page
    .getByText(/not found/i)
    .first()
    .waitFor();
  await setStatus(owner.token, placed.id, 'cancelled');
});
