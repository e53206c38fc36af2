import { readFileSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { inject, onTestFailed } from 'vitest';

/** The fleet under test; see up.ts. */
export const BASE = inject('base');

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

export interface Person {
  context: BrowserContext;
  page: Page;
  /** What the page complained about; a healthy one says nothing. */
  complaints: string[];
}

export interface Look {
  /** Where the page comes from, when not straight from the fleet. */
  base?: string;
  phone?: boolean;
  dark?: boolean;
  storage?: Record<string, string>;
}

/** A browser of somebody's own: no cookies, no storage, English. */
export async function person(browser: Browser, look: Look = {}): Promise<Person> {
  const base = look.base ?? BASE;
  const context = await browser.newContext({
    baseURL: base,
    locale: 'en-US',
    viewport: look.phone ? { width: 390, height: 844 } : { width: 1280, height: 860 },
    isMobile: look.phone ?? false,
    hasTouch: look.phone ?? false,
    colorScheme: look.dark ? 'dark' : 'light',
    reducedMotion: 'no-preference',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(base).host)
      complaints.push(`foreign request: ${request.url()}`);
  });
  await page.addInitScript((storage) => {
    for (const [key, value] of Object.entries(storage))
      if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
  }, look.storage ?? {});
  onTestFailed(() => describe(page, complaints));
  return { context, page, complaints };
}

let pictures = 0;

/** What a failure leaves to look at: what stood on the page, what it complained about, and what the fleet said last. */
async function describe(page: Page, complaints: string[]): Promise<void> {
  if (page.isClosed()) return;
  const picture = new URL(`../../screenshots/failed-${++pictures}.png`, import.meta.url).pathname;
  const text = await page.locator('body').innerText({ timeout: 2000 }).catch(String);
  await page.screenshot({ path: picture, timeout: 5000 }).catch(() => {});
  const log = inject('log');
  const fleet = log ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-10) : [];
  const lines = [
    `at ${page.url()}, see ${picture}`,
    text.replace(/\n+/g, ' · ').slice(0, 1200),
    ...complaints,
    ...fleet,
  ];
  console.error(lines.join('\n  '));
}

export const SAN_FRANCISCO = {
  'tiffin.place': JSON.stringify({ city: 'San Francisco', state: 'CA', latitude: 37.7749, longitude: -122.4194 }),
};

export async function signIn(page: Page, email: string, password = 'tiffin-demo'): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}

export interface Registered {
  email: string;
  password: string;
}

let serial = 0;

/** Registers through the form, as somebody new would. */
export async function register(
  page: Page,
  as: 'Order food' | 'Sell food' | 'Deliver',
  city: string,
): Promise<Registered> {
  const email = `web-${Date.now().toString(36)}-${++serial}@test.tiffin`;
  const password = 'a-long-password';
  await page.goto('/register');
  await page.getByText(as, { exact: true }).click();
  await page.getByLabel('First name').fill('Test');
  await page.getByLabel('Last name').fill(as.split(' ')[0] as string);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Phone number').fill('+14155550134');
  await pickCity(page, city);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL((url) => url.pathname !== '/register');
  return { email, password };
}

/** Types a city and takes the first suggestion. */
export async function pickCity(page: Page, city: string): Promise<void> {
  await page.getByRole('combobox', { name: 'City' }).fill(city);
  await page.getByRole('listbox').getByRole('option').first().click();
}
