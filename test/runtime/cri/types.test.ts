import { readFileSync } from 'node:fs';
import test from 'ava';
import { format, resolveConfig } from 'prettier';
import { generateTypes } from '../../../runtime/cri/generate-types.ts';

test('runtime/cri/types.ts is what runtime/cri.proto says (else: node runtime/cri/generate-types.ts)', async (t) => {
  const path = new URL('../../../runtime/cri/types.ts', import.meta.url);
  const options = await resolveConfig(path);
  t.is(readFileSync(path, 'utf8'), await format(generateTypes(), { ...options, parser: 'typescript' }));
});
