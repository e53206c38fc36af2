// Writes src/api/schema.d.ts from a running fleet's /openapi.json: `npm run api:types`. A test makes the same and compares.
// The generator wants a TypeScript of its own (5.x), so it has its own packages, installed when first needed.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const HERE = new URL('./api/', import.meta.url);
export const SCHEMA = new URL('../src/api/schema.d.ts', import.meta.url);

/** The types of what the fleet at `edge` says about itself, as the text of a module. */
export async function apiTypes(edge) {
  const entry = new URL('node_modules/openapi-typescript/dist/index.mjs', HERE);
  if (!existsSync(entry))
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: HERE, stdio: 'inherit' });
  const { default: openapiTS, astToString, COMMENT_HEADER } = await import(entry.href);
  return COMMENT_HEADER + astToString(await openapiTS(new URL('/openapi.json', edge)));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(SCHEMA, await apiTypes(process.env.EDGE_URL ?? 'http://localhost:3000'));
