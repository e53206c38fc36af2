import { defineConfig } from 'vitest/config';

/** Pictures of every page of a real fleet at work: `npm run screenshots`. Looked at by people; nothing compares them. */
export default defineConfig({
  test: {
    globalSetup: 'test/browser/up.ts',
    include: ['test/browser/screenshots.ts'],
    testTimeout: 900_000,
    hookTimeout: 180_000,
  },
});
