import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { dir } from 'tmp-promise';
import { annotationNames } from '../../../kubelet/containers/labels.ts';
import { createTerminationMessages } from '../../../kubelet/status/termination-message.ts';
import { podOf, runtimeContainer } from '../pod-builder.ts';

test('of a long termination message the end is kept, which says what went wrong', async (t) => {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'll-' });
  t.teardown(cleanup);
  const hostPath = join(path, 'message');
  writeFileSync(hostPath, `${'y\n'.repeat(3000)}LAST\n`);
  const mount = { hostPath, containerPath: '/dev/termination-log' } as ReturnType<
    typeof runtimeContainer
  >['mounts'][number];
  const message = createTerminationMessages()({
    ...runtimeContainer(podOf(), { name: 'main', state: 1 }),
    mounts: [mount],
    annotations: { [annotationNames.terminationMessagePath]: '/dev/termination-log' },
  });
  t.is(message.length, 4096);
  t.true(message.endsWith('y\nLAST\n'));
});
