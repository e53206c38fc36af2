import { defineConfig } from 'vitest/config';

/** Pages in a real browser against a real fleet, which it starts unless TIFFIN_URL names one. */
export default defineConfig({
  test: {
    globalSetup: 'test/browser/up.ts',
    include: ['test/browser/**/*.test.ts'],
    // They share the fleet's demo accounts and its limits per address.
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    // A fleet that does not work fails everything: a few failures say so, and nobody waits for all of them.
    bail: 10,
  },
});
