import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kitchenIn, login, order, setStatus, storage } from './api';
import { type Look, launch, person, SAN_FRANCISCO } from './fleet';

let browser: Browser;
let stage: Record<string, { path: string; storage: Record<string, string> }>;
let cleanUp: () => Promise<unknown>;

beforeAll(async () => {
  browser = await launch();
  const customer = await login('customer@demo.tiffin');
  const [owner, rider, admin] = [
    await login('owner@demo.tiffin'),
    await login('rider@demo.tiffin'),
    await login('admin@demo.tiffin'),
  ];
  const { restaurant, dish } = await kitchenIn('San Francisco');
  const placed = await order(customer.token, restaurant, dish);
  const { id, name, city, latitude, longitude } = restaurant;
  const cart = {
    restaurant: { id, name, city, latitude, longitude },
    lines: [{ menuItemId: dish.id, name: dish.name, unitPrice: 1250, quantity: 2 }],
    key: 'k',
  };
  const eater = { ...SAN_FRANCISCO, ...storage(customer), 'tiffin.cart': JSON.stringify(cart) };
  cleanUp = () => setStatus(customer.token, placed.id, 'cancelled');
  stage = {
    welcome: { path: '/', storage: {} },
    'sign in': { path: '/sign-in', storage: {} },
    register: { path: '/register', storage: {} },
    restaurants: { path: '/', storage: eater },
    orders: { path: '/?tab=orders', storage: eater },
    restaurant: { path: `/r/${id}`, storage: eater },
    checkout: { path: '/checkout', storage: eater },
    tracking: { path: `/track/${placed.id}`, storage: eater },
    rider: { path: '/rider', storage: storage(rider) },
    kitchen: { path: '/kitchen', storage: { ...storage(owner), 'tiffin.kitchen': id } },
    operations: { path: '/operations', storage: storage(admin) },
    'not found': { path: '/nowhere', storage: {} },
  };
});
afterAll(async () => {
  await cleanUp?.();
  await browser.close();
});

/** The page has its content: a heading, no placeholder left in its place, and nothing still fading in. */
async function settled(page: Page): Promise<void> {
  await page.locator('main').locator('h1, h2').first().waitFor();
  await page.waitForFunction(() => {
    const fading = document
      .getAnimations()
      .some((one) => one.playState === 'running' && one.effect?.getTiming().iterations === 1);
    return !fading && !document.querySelector('main [aria-hidden=true].animate-pulse');
  });
}

const LOOKS: [string, Look][] = [
  ['light', {}],
  ['dark', { dark: true }],
  ['phone', { phone: true }],
  ['phone, dark', { phone: true, dark: true }],
];
const PAGES = [
  'welcome',
  'sign in',
  'register',
  'restaurants',
  'orders',
  'restaurant',
  'checkout',
  'tracking',
  'rider',
  'kitchen',
  'operations',
  'not found',
];

describe.each(LOOKS)('%s', (_, look) => {
  test.each(PAGES)('%s: axe finds nothing, the console is silent, nothing comes from elsewhere', async (name) => {
    const scene = stage[name];
    if (!scene) throw new Error(`no stage for ${name}`);
    const { page, context, complaints } = await person(browser, { ...look, storage: scene.storage });
    await page.goto(scene.path);
    await settled(page);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`),
    ).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe('tabs and dialogs of working pages', () => {
  test.each(['Menu', 'Details'])('kitchen, %s', async (tab) => {
    const { page, context } = await person(browser, { storage: stage.kitchen?.storage ?? {} });
    await page.goto('/kitchen');
    await page.getByRole('tab', { name: tab }).click();
    await settled(page);
    if (tab === 'Menu') await page.getByRole('button', { name: 'Add a dish' }).click();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    await context.close();
  });
});

test('languages: the page, its lang and its numbers change together, and the choice stays', async () => {
  const { page } = await person(browser, { storage: stage.restaurant?.storage ?? {} });
  await page.goto(stage.restaurant?.path ?? '/');
  await page.getByLabel('Language').selectOption('fr');
  await page.getByRole('heading', { name: /^De / }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('fr');
  expect(await page.getByText(/\d,\d\d\s\$/).count()).toBeGreaterThan(0);
  await page.reload();
  await page.getByRole('heading', { name: /^De / }).waitFor();
  await page.getByLabel('Langue').selectOption('es');
  await page.getByRole('button', { name: 'Cuenta de' }).waitFor();
});

test('ordering works with the keyboard alone', async () => {
  const { page } = await person(browser, { storage: { ...(stage.restaurant?.storage ?? {}), 'tiffin.cart': '' } });
  await page.goto(stage.restaurant?.path ?? '/');
  await page
    .getByRole('button', { name: /to the basket$/ })
    .first()
    .focus();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Go to checkout' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/checkout/);
  await page.getByLabel('Address for the rider').focus();
  await page.keyboard.type('2 Keyboard Way');
  const map = page.getByRole('application');
  await map.focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByText(/Tap the map to move the pin/).waitFor();
  await page.getByRole('button', { name: /^Order for/ }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/track\//);
  await page.getByRole('button', { name: 'Cancel order' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel order' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'This order was cancelled' }).waitFor();
});
