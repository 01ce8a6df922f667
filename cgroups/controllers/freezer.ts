import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupDirectory, type Controller, writeValue } from './controller.ts';

/** Freezing: used while all processes of a v1 cgroup are killed, so that none forks away. */
export const freezer: Controller = { name: 'freezer', apply: () => undefined };

/** Freezes or thaws a v1 cgroup and those below it. A cgroup without the file is left alone. */
export function freeze(directory: CgroupDirectory, frozen: boolean): void {
  if (directory.version === 2 || !existsSync(join(directory.path, 'freezer.state'))) return;
  writeValue(directory, 'freezer.state', frozen ? 'FROZEN' : 'THAWED');
}
