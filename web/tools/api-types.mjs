// Writes src/api/schema.d.ts from a running fleet's /openapi.json: `npm run api:types`.
// The generator wants a TypeScript of its own (5.x), so both are fetched for this run instead of being installed.
import { execFileSync } from 'node:child_process';

const edge = process.env.EDGE_URL ?? 'http://localhost:3000';
const packages = ['openapi-typescript@7.13.0', 'typescript@5.9.3'];
execFileSync(
  'npm',
  [
    'exec',
    '--yes',
    ...packages.map((name) => `--package=${name}`),
    '--',
    'openapi-typescript',
    `${edge}/openapi.json`,
    '--output',
    'src/api/schema.d.ts',
  ],
  { stdio: 'inherit', cwd: new URL('..', import.meta.url).pathname },
);
