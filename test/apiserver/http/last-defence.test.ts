import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const fileOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const lastDefence = fileOf('apiserver/http/last-defence.ts');
const writeQueue = fileOf('store/embedded/write-queue.ts');

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

/** What a script that dies leaves. */
const death = async (text: string) => {
  const outcome: unknown = await script(text).catch((error: unknown) => error);
  return outcome as { code?: number; stdout: string; stderr: string };
};

test('an error of no request ends the process as ever', async (t) => {
  const { code, stdout, stderr } = await death(`
    defend();
    process.on('exit', (status) => console.log('exit', status));
    setTimeout(() => { throw new Error('of nobody'); }, 1);
    setTimeout(() => undefined, 10_000);
  `);
  t.is(code, 1);
  t.is(stdout, 'exit 1\n');
  t.regex(stderr, /Error: of nobody/);
});

test('the queue of writes, whoever sets it going, is of no request', async (t) => {
  const { code, stdout, stderr } = await death(`
    import { WriteQueue } from ${JSON.stringify(writeQueue)};
    defend();
    const root = { childTransaction: async () => [undefined] };
    const queue = new WriteQueue({
      tables: { root } as never,
      committed: () => { throw new Error('read of the revision failed'); },
    });
    defended(task('/first'), async () => void (await queue.add(() => undefined)));
    setTimeout(() => undefined, 10_000);
  `);
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /Error: read of the revision failed/);
});
