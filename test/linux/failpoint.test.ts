import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { failpoint, FailpointError, parseFailpoints, setFailpoint } from '../../linux/failpoint.ts';

test('does nothing unless it was set', async (t) => {
  await t.notThrowsAsync(failpoint('kk.never-set'));
});

test('fails as often as was asked, then no more', async (t) => {
  using _point = setFailpoint('kk.twice', '2*error(no space)');
  const error = await t.throwsAsync(failpoint('kk.twice'), { instanceOf: FailpointError });
  t.is(error.message, 'failpoint kk.twice: no space');
  await t.throwsAsync(failpoint('kk.twice'));
  await t.notThrowsAsync(failpoint('kk.twice'));
});

test('is gone when disposed, and calls a function where one was set', async (t) => {
  const passed: string[] = [];
  {
    using _point = setFailpoint('kk.function', (name) => passed.push(name));
    await failpoint('kk.function');
  }
  await failpoint('kk.function');
  t.deepEqual(passed, ['kk.function']);
});

test('kills the process at that very place', (t) => {
  const module = fileURLToPath(new URL('../../linux/failpoint.ts', import.meta.url));
  const program = `import { failpoint } from ${JSON.stringify(module)};
    process.on('exit', () => console.log('exit handler'));
    await failpoint('a'); console.log('before'); await failpoint('b'); console.log('after');`;
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, PODWRIGHT_FAILPOINTS: 'a=sleep(1); b=crash' },
    encoding: 'utf8',
  });
  t.is(signal, 'SIGKILL');
  t.is(stdout, 'before\n');
});

test('refuses what it does not understand, which would test nothing', (t) => {
  t.is(parseFailpoints(' ').size, 0);
  for (const text of ['a', 'a=', 'a=explode', '=crash', 'a=x*error']) {
    t.throws(() => parseFailpoints(text), { message: /not understood; actions are/ }, text);
  }
});
