import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the fleet under test serves. */
    base: string;
    /** The file with what it says; empty for one that was running already. */
    log: string;
    /** Its data folder, TIFFIN_HOME for one that was running already. */
    home: string;
  }
}

export const BINARY = process.env.TIFFIN_BINARY ?? new URL('../../../bin/tiffin', import.meta.url).pathname;
const START_MS = 120_000;
const STOP_MS = 60_000;

/**
 * Uses the fleet at TIFFIN_URL, or starts one of its own beside whatever runs: with its own data
 * folder and ports, thrown away afterwards.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.TIFFIN_URL;
  if (given) {
    project.provide('base', given);
    project.provide('log', '');
    project.provide('home', process.env.TIFFIN_HOME ?? '');
    return;
  }
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: build it first (just up does), or set TIFFIN_URL`);
  const home = mkdtempSync(join(tmpdir(), 'tiffin-web-'));
  const [edge, tracking] = await Promise.all([freePort(), freePort()]);
  const log = join(home, 'fleet.log');
  const said = openSync(log, 'w');
  // Whatever ends this process, also SIGKILL: the kernel then stops the fleet, which takes its servers along.
  const fleet = spawn('setpriv', ['--pdeathsig', 'TERM', BINARY, 'up'], {
    env: { ...process.env, TIFFIN_HOME: home, API_GATEWAY_PORT: String(edge), TRACKING_SERVICE_PORT: String(tracking) },
    stdio: ['ignore', said, said],
  });
  const stop = async () => {
    await end(fleet);
    closeSync(said);
    rmSync(home, { recursive: true, force: true });
  };
  const base = `http://localhost:${edge}`;
  try {
    await ready(base, fleet);
  } catch (error) {
    const words = readFileSync(log, 'utf8').slice(-4000);
    await stop();
    throw new Error(`${error}\n${words}`);
  }
  project.provide('base', base);
  project.provide('log', log);
  project.provide('home', home);
  return stop;
}

/** Stops the fleet as Ctrl-C does. One that does not stop is a failure, and does not stay. */
export async function end(fleet: ChildProcess): Promise<void> {
  if (fleet.exitCode !== null || fleet.signalCode !== null) return;
  const gone = once(fleet, 'exit');
  fleet.kill('SIGINT');
  const late = setTimeout(() => fleet.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(late);
  if (fleet.signalCode !== null) throw new Error(`tiffin up did not stop: ended by ${fleet.signalCode}`);
}

export async function ready(base: string, fleet: ChildProcess): Promise<void> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (fleet.exitCode !== null) throw new Error(`tiffin up ended with ${fleet.exitCode}`);
    const answer = await fetch(`${base}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error('tiffin up is not ready');
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address === 'string' || address === null) throw new Error('no port');
  return address.port;
}
