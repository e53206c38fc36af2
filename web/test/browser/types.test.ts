import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apiTypes, SCHEMA } from '../../tools/api-types.mjs';
import { BASE } from './fleet';

test('the types are those of the running fleet: otherwise run `npm run api:types`', async () => {
  expect(readFileSync(SCHEMA, 'utf8')).toBe(await apiTypes(BASE));
});
