/**
 * Generates api/generated from the Kubernetes models that @kubernetes/client-node brings: TypeScript types.
 * Usage: node scripts/generate-api.ts
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emitTypes } from '../api/schema/emit-types.ts';
import { readModel } from '../api/schema/read-models.ts';
import type { Model } from '../api/schema/read-models.ts';

const root = join(import.meta.dirname, '..');
const modelsDir = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
const outputDir = join(root, 'api/generated');

function readModels(): Model[] {
  const names = readdirSync(modelsDir).filter((file) => file.endsWith('.d.ts') && file !== 'all.d.ts');
  return names.flatMap((file) => {
    const base = join(modelsDir, file.slice(0, -'.d.ts'.length));
    return readModel(readFileSync(`${base}.d.ts`, 'utf8'), readFileSync(`${base}.js`, 'utf8')) ?? [];
  });
}

mkdirSync(outputDir, { recursive: true });
const models = readModels();
writeFileSync(join(outputDir, 'types.ts'), emitTypes(models));
