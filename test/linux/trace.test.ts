import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

const module = join(import.meta.dirname, '../../linux/trace.ts');
const program = `const { trace } = await import(${JSON.stringify(module)});
trace('kubelet')('pod synced', { pod: 'a/b', why: 'two words', n: 1 });
trace('csi')('not wanted');`;

test('traces the components named in PODWRIGHT_DEBUG and no other', (t) => {
  const script = `exec "$0" --input-type=module -e "$1" 2>&1`;
  const output = execFileSync('sh', ['-c', script, process.execPath, program], {
    env: { ...process.env, PODWRIGHT_DEBUG: 'store, kubelet', NODE_NO_WARNINGS: '1' },
    encoding: 'utf8',
  });
  t.regex(output, /^\S+Z kubelet pod synced pod=a\/b why="two words" n=1\n$/);
});
