import test from 'ava';
import { execa } from 'execa';
import { join } from 'node:path';
import { down } from '../../cluster/down.ts';
import { patience, until } from '../environment.ts';
import { nftTables, traces } from '../cluster/traces.ts';

const demo = join(import.meta.dirname, '../../scripts/demo');

for (const story of ['pod', 'storage']) {
  test.serial(
    `scripts/demo ${story} tells its story, every step holds, and down leaves nothing`,
    async (t) => {
      t.timeout(180_000 * patience);
      const name = `test-demo-${story}`;
      try {
        const { stdout, stderr, exitCode } = await execa(demo, [story, '--name', name], { reject: false });
        if (exitCode !== 0) t.log(`${stdout}\n${stderr}`);
        t.is(exitCode, 0);
        t.regex(stdout, /\nEvery step held\. The cluster stays up; go on with:\n/);
        t.notRegex(stdout, /✗/);
      } finally {
        t.deepEqual(await down(name), { existed: true });
      }
      // What was killed may be a zombie for a moment, until init has seen it.
      await until(`nothing left of ${name}`, () => traces(name).length === 0).catch(() =>
        t.deepEqual(traces(name), []),
      );
      t.deepEqual(await nftTables(name), []);
    },
  );
}

test('an argument that is none gets one clear line', async (t) => {
  const { stderr, exitCode } = await execa(demo, ['stroage'], { reject: false });
  t.is(stderr, "scripts/demo: unknown argument 'stroage' (see --help)");
  t.is(exitCode, 2);
});
