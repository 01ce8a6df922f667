import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const lastDefence = fileURLToPath(new URL('../../../apiserver/http/last-defence.ts', import.meta.url));

/** Runs a script in a process of its own, as it may end it. */
const script = (text: string) =>
  run(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    `import { defend, defended } from ${JSON.stringify(lastDefence)};
     const log = { error: ({ err, path }) => console.log(path, err.message) } as never;
     const task = (path: string) => ({ path, log, giveUp: () => console.log('gave up', path) });
     ${text}`,
  ]);

test('what a request throws in a callback ends this request alone', async (t) => {
  const { stdout } = await script(`
    const stop = defend();
    defended(task('/timer'), async () => void setTimeout(() => { throw new Error('late'); }, 1));
    defended(task('/floating'), async () => { throw new Error('floating'); });
    setTimeout(() => { stop(); console.log('alive'); }, 50);
  `);
  t.deepEqual(stdout.trim().split('\n').toSorted(), [
    '/floating floating',
    '/timer late',
    'alive',
    'gave up /floating',
    'gave up /timer',
  ]);
});

test('an error of no request ends the process as ever', async (t) => {
  const error = await t.throwsAsync(
    script(
      `defend(); setTimeout(() => { throw new Error('of nobody'); }, 1); setTimeout(() => undefined, 10_000);`,
    ),
  );
  t.regex((error as Error & { stderr: string }).stderr, /of nobody/);
});
