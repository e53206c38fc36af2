// Pictures of every page, light and dark, desk and phone, into screenshots/: `npm run build && npm run screenshots`.
// `npm run screenshots -- tracking,home` takes only those. Looked at by people; nothing compares them.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { dress } from '../test/mock/scene.mjs';
import { startMock } from '../test/mock/server.mjs';

const OUT = new URL('../screenshots/', import.meta.url).pathname;
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
const SIZES = { desk: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };

const only = process.argv[2]?.split(',');
const mock = await startMock(0);
const base = `http://localhost:${mock.port}`;
const scenes = await dress(mock, base);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
mkdirSync(OUT, { recursive: true });

for (const [name, scene] of Object.entries(scenes)) {
  if (only && !only.includes(name)) continue;
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark']) {
      const phone = size === 'phone';
      const context = await browser.newContext({
        viewport,
        colorScheme,
        isMobile: phone,
        hasTouch: phone,
        locale: 'en-US',
      });
      const page = await context.newPage();
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      await page.addInitScript((storage) => {
        for (const [key, value] of Object.entries(storage)) localStorage.setItem(key, value);
      }, scene.storage ?? {});
      await page.goto(base + scene.path);
      await page.waitForTimeout(1200);
      await scene.act?.(page);
      await page.screenshot({ path: `${OUT}${name}-${size}-${colorScheme}.png` });
      if (complaints.length > 0) console.log(name, size, colorScheme, complaints);
      await context.close();
    }
  }
}
await browser.close();
await mock.stop();
