import { readFileSync } from 'node:fs';
import test from 'ava';
import { format, resolveConfig } from 'prettier';
import { generateTypes } from '../../csi/generate-types.ts';

test('csi/types.ts is what the .proto files say (else: node csi/generate-types.ts)', async (t) => {
  const path = new URL('../../csi/types.ts', import.meta.url);
  const options = await resolveConfig(path);
  t.is(readFileSync(path, 'utf8'), await format(generateTypes(), { ...options, parser: 'typescript' }));
});
