import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Upstream's marker (pkg/volume/util IsReady): written last, so that after a crash a volume is whole or begun again.
const fileOf = (metaDirectory: string): string => join(metaDirectory, 'ready');

/** The volume was set up to its end. */
export const isReady = (metaDirectory: string): boolean => existsSync(fileOf(metaDirectory));

/** Notes that the volume is set up. */
export const setReady = (metaDirectory: string): void => {
  mkdirSync(metaDirectory, { recursive: true, mode: 0o750 });
  writeFileSync(fileOf(metaDirectory), '');
};
