import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readMountInfo } from '../../../linux/mount-info.ts';
import { crashObjects, crashPods } from './crash-pods.ts';
import { makeNode, mountsAt } from './node.ts';

const program = join(import.meta.dirname, 'killed-manager.ts');

/** Runs a volume manager in a process of its own and kills it after `afterMs`. */
const runAndKill = async (rootDir: string, afterMs: number): Promise<void> => {
  const child = spawn(process.execPath, [...process.execArgv, program, rootDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exited]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  const [code, signal] = (await exited) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the volume manager ended by itself with ${code}`);
};

test('killed at any moment, the volumes are whole after the restart, and nothing is left at the end', async (t) => {
  const node = makeNode(t);
  for (const afterMs of [1, 5, 12, 25, 40, 70, 110, 170]) await runAndKill(node.rootDir, afterMs);
  crashObjects(node.api, 'after');
  await node.restart();
  for (const pod of crashPods) {
    await node.volumes.waitForMount(pod);
    const [container] = pod.spec?.containers ?? [];
    await node.volumes.mountsFor({ pod, container: container ?? { name: 'none' }, environment: [] });
    for (const [plugin = '', name = ''] of [
      ['configmap', 'config'],
      ['secret', 'secret'],
    ]) {
      const path = node.pathOf(pod, plugin, name);
      t.is(readFileSync(join(path, 'value'), 'utf8'), 'after');
      t.is(mountsAt(path).length, 1);
      t.deepEqual([statSync(join(path, 'value')).gid, statSync(path).gid], [3000, 3000]);
    }
    t.is(mountsAt(node.pathOf(pod, 'empty-dir', 'memory')).length, 1);
    t.is(statSync(node.pathOf(pod, 'empty-dir', 'disk')).mode & 0o7777, 0o2777);
    const subPaths = join(node.rootDir, 'pods', pod.metadata?.uid ?? '', 'volume-subpaths');
    t.deepEqual(readdirSync(subPaths).sort(), ['config', 'disk']);
    t.is(readFileSync(join(subPaths, 'config/main/5'), 'utf8'), 'after');
  }
  const targets = readMountInfo().flatMap(({ mountPoint }) =>
    mountPoint.startsWith(node.rootDir) ? mountPoint : [],
  );
  t.is(new Set(targets).size, targets.length, 'nothing is mounted over');
  for (const { metadata } of crashPods) {
    await node.volumes.unmountPod(metadata?.uid ?? '');
    await node.volumes.removePodDirectory(metadata?.uid ?? '');
    t.false(existsSync(join(node.rootDir, 'pods', metadata?.uid ?? '')));
  }
});
