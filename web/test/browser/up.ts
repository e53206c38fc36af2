import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the fleet under test serves. */
    base: string;
  }
}

const BINARY = process.env.TIFFIN_BINARY ?? new URL('../../../bin/tiffin', import.meta.url).pathname;
const START_MS = 120_000;

/**
 * Uses the fleet at TIFFIN_URL, or starts one of its own beside whatever runs: with its own data
 * folder and ports, thrown away afterwards.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.TIFFIN_URL;
  if (given) {
    project.provide('base', given);
    return;
  }
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: build it first (just up does), or set TIFFIN_URL`);
  const home = mkdtempSync(join(tmpdir(), 'tiffin-web-'));
  const [edge, tracking] = await Promise.all([freePort(), freePort()]);
  const fleet = spawn(BINARY, ['up'], {
    env: { ...process.env, TIFFIN_HOME: home, API_GATEWAY_PORT: String(edge), TRACKING_SERVICE_PORT: String(tracking) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [fleet.stdout, fleet.stderr]) stream.on('data', (chunk) => said.push(String(chunk)));
  const stop = async () => {
    if (fleet.exitCode === null) {
      fleet.kill('SIGINT');
      await once(fleet, 'exit');
    }
    rmSync(home, { recursive: true, force: true });
  };
  const base = `http://localhost:${edge}`;
  try {
    await ready(base, fleet);
  } catch (error) {
    await stop();
    throw new Error(`${error}\n${said.join('').slice(-4000)}`);
  }
  project.provide('base', base);
  return stop;
}

async function ready(base: string, fleet: ChildProcess): Promise<void> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (fleet.exitCode !== null) throw new Error(`tiffin up ended with ${fleet.exitCode}`);
    const answer = await fetch(`${base}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error('tiffin up is not ready');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address === 'string' || address === null) throw new Error('no port');
  return address.port;
}
