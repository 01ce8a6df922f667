import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { dir } from 'tmp-promise';
import { rotateLogs } from '../../../kubelet/garbage/log-rotation.ts';
import { podOf, runtimeContainer, runtimeOf } from '../pod-builder.ts';

/** A container with a log, and a runtime that opens it anew; what it was asked goes into `reopened`. */
async function bench(t: ExecutionContext) {
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
  return { path, logPath, reopened, context };
}

test('a log that is too long is rotated, older ones are compressed, the oldest go', async (t) => {
  const { path, logPath, reopened, context } = await bench(t);
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

test('with two files there is one old log, time and again', async (t) => {
  const { path, logPath, reopened, context } = await bench(t);
  for (const text of ['first and long', 'second and long', 'third and long']) {
    for (const old of readdirSync(path).filter((name) => name !== '0.log')) {
      // Names are a second apart.
      renameSync(join(path, old), `${logPath}.20250101-000000`);
    }
    writeFileSync(logPath, text);
    await rotateLogs({ context, maxBytes: 10, maxFiles: 2 });
    const [, old = ''] = readdirSync(path).sort();
    t.is(readFileSync(join(path, old), 'utf8'), text);
    t.is(readdirSync(path).length, 2);
  }
  t.is(reopened.length, 3);
});
