import { defineConfig } from 'vitest/config';

/** Pages in a real browser against a running fleet: `tiffin up`, then `npm run test:browser`. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    // They share the fleet's demo accounts and its limits per address.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 30_000,
  },
});
