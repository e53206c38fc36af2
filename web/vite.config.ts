import { fileURLToPath } from 'node:url';
import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// What the edge answers itself; everything else is a page of this app.
const API = [
  '/auth',
  '/restaurants',
  '/orders',
  '/delivery',
  '/tracking',
  '/admin',
  '/cities',
  '/metrics',
  '/openapi.json',
  '/app-config.json',
];

const target = process.env.EDGE_URL ?? 'http://localhost:3000';
const edge = {
  ...Object.fromEntries(API.map((path) => [path, { target }])),
  '/socket.io': { target, ws: true },
};

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  // Only index.html says where the assets are; everything else finds its neighbours relative to itself. So the same
  // build works from the edge and, when it writes ASSET_URL into index.html, from a CDN.
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === 'html' ? `/${name}` : { relative: true }),
  },
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows files of our own origin only: nothing may become a data: URL.
    assetsInlineLimit: 0,
    // Browsers that know light-dark(): without this it is spelled out in variables, twice the size.
    cssTarget: ['chrome123', 'safari17.5', 'firefox120'],
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        advancedChunks: {
          groups: [
            // Changes with an upgrade only, so it stays in caches when the app changes.
            { name: 'framework', test: /node_modules\/(react|react-dom|react-router|scheduler|@tanstack)\// },
          ],
        },
      },
    },
  },
  server: { port: 5173, proxy: edge },
  // The built app in front of a running fleet. The same port as in development, which sockets are allowed from.
  preview: { port: 5173, strictPort: true, proxy: edge },
  test: {
    environment: 'jsdom',
    include: ['test/unit/**/*.test.{ts,tsx}'],
    setupFiles: ['test/unit/setup.ts'],
    restoreMocks: true,
    testTimeout: 30_000,
    // Two cores are shared with the servers under test.
    maxWorkers: 2,
  },
});
