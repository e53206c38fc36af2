import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, type Person, person, pickCity, register } from './fleet';

let browser: Browser;
const people: Person[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function newcomer(storage: Record<string, string> = {}): Promise<Person> {
  const one = await person(browser, { storage });
  people.push(one);
  return one;
}

// A town without demo riders, so that the offer can only go to ours.
const TOWN = 'Santa Rosa';

test('three people do the whole job in three browsers, and the customer sees the rider move', async () => {
  const owner = await newcomer();
  await register(owner.page, 'Sell food', TOWN);
  const kitchen = `Web Kitchen ${Date.now().toString(36)}`;
  await owner.page.getByRole('button', { name: 'Add a restaurant' }).click();
  await owner.page.getByLabel('Name', { exact: true }).fill(kitchen);
  await owner.page.getByLabel('Cuisine').fill('Thai');
  await owner.page.getByLabel('Phone number').fill('+17075550134');
  await owner.page.getByLabel('E-mail').fill('kitchen@test.tiffin');
  await pickCity(owner.page, TOWN);
  await owner.page.getByLabel('Street and number').fill('4th Street 12');
  await owner.page.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByRole('tab', { name: 'Menu' }).click();
  await owner.page.getByRole('button', { name: 'Add a dish' }).first().click();
  await owner.page.getByLabel('Name', { exact: true }).fill('Green curry');
  await owner.page.getByLabel('Section').fill('Mains');
  await owner.page.getByLabel('Price').fill('12.50');
  await owner.page.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByRole('heading', { name: 'Green curry' }).waitFor();
  await owner.page.getByRole('tab', { name: 'Orders' }).click();

  const rider = await newcomer({ 'tiffin.rider.source': 'simulated' });
  await register(rider.page, 'Deliver', TOWN);
  await rider.page.getByText('Take orders').click();
  await rider.page.getByRole('heading', { name: 'You are online' }).waitFor();

  const customer = await newcomer();
  await register(customer.page, 'Order food', TOWN);
  await customer.page.getByRole('heading', { name: kitchen }).click();
  const add = customer.page.getByRole('button', { name: 'Add Green curry to the basket' });
  await add.click();
  await customer.page.getByRole('button', { name: 'One Green curry more' }).first().click();
  await customer.page.getByRole('link', { name: 'Go to checkout' }).click();
  await customer.page.getByLabel('Address for the rider').fill('Humboldt Street 7');
  expect(await customer.page.getByTestId('total').textContent()).toBe('$25.00');
  // Away from the kitchen, so that there is a way to ride.
  await customer.page.getByRole('application').click({ position: { x: 150, y: 120 } });
  await customer.page.getByRole('button', { name: 'Order for $25.00' }).click();
  await customer.page.waitForURL(/\/track\//);
  await customer.page.getByRole('heading', { name: 'Waiting for the restaurant' }).waitFor();

  await rider.page.getByRole('button', { name: 'Accept' }).click({ timeout: 30_000 });
  await rider.page.getByRole('heading', { name: 'Ride to the kitchen' }).waitFor();

  await owner.page.getByRole('button', { name: 'Confirm' }).click({ timeout: 15_000 });
  await customer.page.getByRole('heading', { name: 'The restaurant said yes' }).waitFor();
  await owner.page.getByRole('button', { name: 'Start cooking' }).click();
  await customer.page.getByRole('heading', { name: 'Your food is being cooked' }).waitFor();
  await owner.page.getByRole('button', { name: 'Packed and ready' }).click();
  await customer.page.getByRole('heading', { name: 'Packed, waiting for the rider' }).waitFor();

  await rider.page.getByRole('button', { name: 'I have picked it up' }).click();
  await customer.page.getByRole('heading', { name: 'Your food is on its way' }).waitFor();
  const marker = customer.page.getByTestId('rider-marker');
  await marker.waitFor({ state: 'attached', timeout: 20_000 });
  const places = new Set<string>();
  for (let i = 0; i < 40 && places.size < 6; i++) {
    places.add((await marker.getAttribute('style')) ?? '');
    await customer.page.waitForTimeout(250);
  }
  expect(places.size).toBeGreaterThanOrEqual(6);
  expect(await customer.page.locator('[data-link]').getAttribute('data-link')).toBe('live');

  await rider.page.getByRole('button', { name: 'Handed over' }).click();
  await customer.page.getByRole('heading', { name: 'Delivered. Enjoy!' }).waitFor();
  await marker.waitFor({ state: 'detached' });
  await rider.page.getByRole('heading', { name: 'Looking for an order near you' }).waitFor();

  const day = rider.page.getByRole('region', { name: 'Today' });
  await day.getByText('$25.00').waitFor();
  await day.getByText(kitchen).waitFor();

  for (const one of people) expect(one.complaints).toEqual([]);
});
