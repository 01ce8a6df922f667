import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { dir } from 'tmp-promise';
import { rotateLogs } from '../../../kubelet/garbage/log-rotation.ts';
import { podOf, runtimeContainer, runtimeOf } from '../pod-builder.ts';

test('a log that is too long is rotated, older ones are compressed, the oldest go', async (t) => {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'll-' });
  t.teardown(cleanup);
  const logPath = join(path, '0.log');
  const pod = podOf();
  const container = { ...runtimeContainer(pod, { name: 'main', state: 'running' }), logPath };
  const reopened: string[] = [];
  const context = {
    log: { debug() {}, info() {}, warn() {}, error() {} },
    cache: { all: () => [{ ...runtimeOf(pod), containers: [container] }] },
    cri: {
      async call(method: string, { containerId }: { containerId: string }) {
        reopened.push(`${method} ${containerId}`);
        writeFileSync(logPath, '');
        return {};
      },
    },
  } as unknown as Parameters<typeof rotateLogs>[0]['context'];
  const rotate = () => rotateLogs({ context, maxBytes: 10, maxFiles: 3 });
  writeFileSync(logPath, 'short');
  await rotate();
  t.deepEqual(readdirSync(path), ['0.log']);
  for (const [index, old] of ['20250101-000000', '20250102-000000'].entries()) {
    writeFileSync(`${logPath}.${old}`, `old ${index}`);
  }
  writeFileSync(logPath, 'long enough to rotate');
  await rotate();
  const files = readdirSync(path).sort();
  t.is(files.length, 3);
  t.is(files[0], '0.log');
  t.is(files[1], '0.log.20250102-000000.gz');
  t.is(gunzipSync(readFileSync(join(path, files[1] ?? ''))).toString(), 'old 1');
  t.is(readFileSync(join(path, files[2] ?? ''), 'utf8'), 'long enough to rotate');
  t.deepEqual(reopened, ['ReopenContainerLog id-main']);
});
