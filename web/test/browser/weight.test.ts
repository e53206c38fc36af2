import { get, type IncomingHttpHeaders } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BASE, launch, person, SAN_FRANCISCO } from './fleet';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test('the first load is under 250 KB, and the map is no part of it', async () => {
  const { page } = await person(browser, { storage: SAN_FRANCISCO });
  await page.goto('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(() => document.fonts.ready);
  const loads = await page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((entry) => ({
      name: entry.name,
      bytes: (entry as PerformanceResourceTiming).encodedBodySize,
    })),
  );
  const total = loads.reduce((sum, load) => sum + load.bytes, 0);
  expect(total).toBeLessThan(250 * 1024);
  expect(total).toBeGreaterThan(100 * 1024);
  expect(loads.filter((load) => /overview|places|Page-/.test(load.name))).toEqual([]);
});

test('the hashed files are compressed before and kept for ever, the page is asked for each time', async () => {
  const { page } = await person(browser, { storage: SAN_FRANCISCO });
  const paths = new Set<string>();
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname === '/' || pathname.startsWith('/assets/')) paths.add(pathname);
  });
  await page.goto('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(() => document.fonts.ready);
  let gzipped = 0;
  for (const path of paths) {
    const { headers, bytes } = await raw(path, 'gzip');
    gzipped += bytes;
    if (path === '/') {
      expect(headers['cache-control']).toBe('no-cache');
      continue;
    }
    expect(path).toMatch(/-[\w-]{8}\.\w+$/);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    if (path.endsWith('.woff2')) continue;
    expect(headers['content-encoding']).toBe('gzip');
    expect((await raw(path, 'gzip, br')).headers['content-encoding']).toBe('br');
  }
  expect(paths.size).toBeGreaterThan(5);
  expect(gzipped).toBeLessThan(250 * 1024);
  console.log(`first load: ${Math.round(gzipped / 1024)} KB gzipped in ${paths.size} files`);
});

/** A file as it comes over the wire: fetch would unpack it. */
function raw(path: string, accept: string): Promise<{ headers: IncomingHttpHeaders; bytes: number }> {
  return new Promise((resolve, reject) => {
    const request = get(BASE + path, { headers: { 'accept-encoding': accept } }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => resolve({ headers: answer.headers, bytes }));
    });
    request.on('error', reject);
  });
}

test('on a slow network the first paint comes within a second', async () => {
  const paints: number[] = [];
  // The best of a few: this machine may be busy with the fleet, and that is not what is measured.
  for (let i = 0; i < 5 && !paints.some((paint) => paint < 1000); i++) {
    const { page, context } = await person(browser, { storage: SAN_FRANCISCO, phone: true });
    const tools = await context.newCDPSession(page);
    await tools.send('Network.enable');
    await tools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 150,
      downloadThroughput: (1.6 * 1024 * 1024) / 8,
      uploadThroughput: (750 * 1024) / 8,
    });
    await page.goto('/', { waitUntil: 'commit' });
    const paint = await page.waitForFunction(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    );
    paints.push((await paint.jsonValue()) as number);
    await context.close();
  }
  expect(Math.min(...paints)).toBeLessThan(1000);
});
