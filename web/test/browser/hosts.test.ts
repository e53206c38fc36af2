import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { login, storage } from './api';
import { BASE, launch, person } from './fleet';
import { BINARY, end, freePort, ready } from './up';

let browser: Browser;
let edge: ChildProcess;
let base: string;
const asked: Record<'cdn' | 'tiles', string[]> = { cdn: [], tiles: [] };
const servers: Server[] = [];

/** A host of somebody else's, which writes down what it is asked for. */
async function host(name: 'cdn' | 'tiles', answer: (path: string) => Promise<{ type: string; body: Buffer }>) {
  const server = createServer(async (request, response) => {
    asked[name].push(request.url ?? '');
    const { type, body } = await answer(request.url ?? '');
    response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*' }).end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A second edge of the fleet, as an operator with a CDN and street tiles runs it. */
beforeAll(async () => {
  browser = await launch();
  const cdn = await host('cdn', async (path) => {
    const file = await fetch(BASE + path.replace(/^\/tiffin/, ''));
    return { type: file.headers.get('content-type') ?? '', body: Buffer.from(await file.arrayBuffer()) };
  });
  const tiles = await host('tiles', async () => ({ type: 'image/png', body: PIXEL }));
  const [port, tracking] = await Promise.all([freePort(), freePort()]);
  const lines = readFileSync(join(inject('home'), 'env'), 'utf8').split('\n');
  edge = spawn('setpriv', ['--pdeathsig', 'TERM', BINARY, 'run', 'edge'], {
    env: {
      ...process.env,
      ...Object.fromEntries(lines.filter(Boolean).map((line) => line.split(/=(.*)/s).slice(0, 2))),
      API_GATEWAY_PORT: String(port),
      TRACKING_SERVICE_PORT: String(tracking),
      ASSET_URL: `${cdn}/tiffin`,
      MAP_TILES_URL: `${tiles}/{z}/{x}/{y}.png`,
    },
    stdio: 'ignore',
  });
  base = `http://localhost:${port}`;
  await ready(base, edge);
});
afterAll(async () => {
  await browser.close();
  for (const server of servers) server.close();
  await end(edge);
});

test('assets come from ASSET_URL and streets from MAP_TILES_URL, and the policy lets nobody else in', async () => {
  const admin = await login('admin@demo.tiffin');
  const { page, complaints } = await person(browser, { base, storage: storage(admin) });
  const own: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith(base)) own.push(new URL(request.url()).pathname);
  });
  const street = page.waitForResponse((response) => response.url().endsWith('.png'));
  await page.goto('/operations');
  await page.getByRole('heading', { name: 'Operations' }).waitFor();
  await street;
  expect(own.filter((path) => path.startsWith('/assets/'))).toEqual([]);
  expect(asked.cdn.length).toBeGreaterThan(5);
  expect(asked.cdn.filter((path) => !path.startsWith('/tiffin/assets/'))).toEqual([]);
  expect(asked.tiles.filter((path) => !/^\/\d+\/\d+\/\d+\.png$/.test(path))).toEqual([]);
  expect(complaints.filter((one) => !one.startsWith('foreign request'))).toEqual([]);

  const strange = `localhost:${await freePort()}`;
  const refused = await page.evaluate(async (strange) => {
    const directives: string[] = [];
    document.addEventListener('securitypolicyviolation', (event) => directives.push(event.effectiveDirective));
    const load = (element: HTMLScriptElement | HTMLImageElement) =>
      new Promise<void>((resolve) => {
        element.onload = element.onerror = () => resolve();
        element.src = `http://${strange}/x`;
        document.body.append(element);
      });
    await fetch(`http://${strange}/`).catch(() => {});
    await load(document.createElement('script'));
    await load(document.createElement('img'));
    try {
      new WebSocket(`ws://${strange}/`);
    } catch {
      // Refused at once, which is one way to refuse.
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    return directives.sort();
  }, strange);
  expect(refused).toEqual(['connect-src', 'connect-src', 'img-src', 'script-src-elem']);
});
