import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { mount } from '../../linux/mount.ts';
import { scratch } from '../linux/scratch.ts';

test('a full disk ends nobody who logs, and what was logged meanwhile is written when there is room', async (t) => {
  const disk = scratch(t);
  mount({ type: 'tmpfs', target: disk, data: 'size=64k' });
  const path = join(disk, 'log');
  const ballast = join(disk, 'ballast');
  t.throws(() => writeFileSync(ballast, Buffer.alloc(128 * 1024)), { code: 'ENOSPC' });
  const module = JSON.stringify(join(import.meta.dirname, '../../cluster/log.ts'));
  const script = `const { componentLog } = await import(${module});
    const log = componentLog('component');
    log.info('first');
    log.info('second');
    process.stdin.once('data', () => log.info('third'));
    process.stdout.write('goes on');`;
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module'];
  const child = spawn('sh', ['-c', 'exec "$@" 2>> "$0"', path, ...node, '-e', script]);
  const ended = once(child, 'exit');
  const [said] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
  t.is(String(said), 'goes on');
  rmSync(ballast);
  child.stdin.end('go');
  await ended;
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  t.deepEqual(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ['first', 'second', 'third'],
  );
});
