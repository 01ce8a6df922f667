import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { belongingTo } from '../cluster/belonging.ts';
import { clusterPaths } from '../cluster/paths.ts';
import { runInForeground } from '../linux/foreground.ts';

/** Prints the log file of a component, and goes on with `follow`. Throws with the names there are. */
export async function printLog(
  component: string,
  { name, follow = false }: { name: string; follow?: boolean },
): Promise<void> {
  const { logs } = clusterPaths(name);
  const known = existsSync(logs) ? readdirSync(logs).map((file) => basename(file, '.log')) : [];
  if (!known.includes(component)) {
    const choice = known.length === 0 ? `there is no cluster '${name}'` : `there are: ${known.join(', ')}`;
    throw new Error(`logs: no component '${component}' in cluster '${name}' (${choice})`);
  }
  const args = [...(follow ? ['-F'] : []), '-n', '+1', join(logs, `${component}.log`)];
  process.exitCode = await runInForeground('tail', args, { env: belongingTo(name) });
}
