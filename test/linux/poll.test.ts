import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

test('what a listener throws is an uncaught error, and not one of the next system call', (t) => {
  const module = (path: string) => JSON.stringify(join(import.meta.dirname, '../..', path));
  const script = `import { closeSync } from 'node:fs';
    const { libc } = await import(${module('linux/libc.ts')});
    const { onReadable } = await import(${module('linux/poll.ts')});
    const { makePipe } = await import(${module('linux/spawn.ts')});
    const [readEnd, writeEnd] = makePipe();
    closeSync(writeEnd);
    const watch = onReadable(readEnd, () => {
      watch[Symbol.dispose]();
      throw new Error('from the listener');
    });
    process.on('uncaughtException', ({ message }) => process.stdout.write('uncaught: ' + message));
    process.on('exit', () => {
      try {
        libc.epollCreate(0);
      } catch ({ message }) {
        process.stdout.write('of another call: ' + message);
      }
    });`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  t.deepEqual([stdout, stderr, status], ['uncaught: from the listener', '', 0]);
});
