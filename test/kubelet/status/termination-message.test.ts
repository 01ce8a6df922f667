import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { dir } from 'tmp-promise';
import { annotationNames } from '../../../kubelet/containers/labels.ts';
import { createTerminationMessages } from '../../../kubelet/status/termination-message.ts';
import { podOf, runtimeContainer } from '../pod-builder.ts';

const placeFor = async (t: ExecutionContext): Promise<string> => {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'll-' });
  t.teardown(cleanup);
  return join(path, 'message');
};

/** The message of a container that has this at its terminationMessagePath. */
const messageAt = (hostPath: string): string => {
  const mount = { hostPath, containerPath: '/dev/termination-log' } as ReturnType<
    typeof runtimeContainer
  >['mounts'][number];
  return createTerminationMessages()({
    ...runtimeContainer(podOf(), { name: 'main', state: 1 }),
    mounts: [mount],
    annotations: { [annotationNames.terminationMessagePath]: '/dev/termination-log' },
  });
};

test('of a long termination message the end is kept, which says what went wrong', async (t) => {
  const hostPath = await placeFor(t);
  writeFileSync(hostPath, `${'y\n'.repeat(3000)}LAST\n`);
  const message = messageAt(hostPath);
  t.is(message.length, 4096);
  t.true(message.endsWith('y\nLAST\n'));
});

test('a Pod that has mounted something else in place of the file has no termination message', async (t) => {
  const hostPath = await placeFor(t);
  execFileSync('mkfifo', [hostPath]);
  t.is(messageAt(hostPath), '');
  t.is(messageAt(dirname(hostPath)), '');
});
