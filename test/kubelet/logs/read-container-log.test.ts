import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { dir } from 'tmp-promise';
import { readContainerLog } from '../../../kubelet/logs/read-container-log.ts';
import type { LogOptions } from '../../../kubelet/logs/read-container-log.ts';
import { until } from '../../environment.ts';

const line = (text: string, { stream = 'stdout', tag = 'F', second = 0 } = {}) =>
  `2026-01-01T00:00:0${second}.000000001Z ${stream} ${tag} ${text}\n`;

async function logFile(content: string) {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'll-' });
  const logPath = join(path, '0.log');
  writeFileSync(logPath, content);
  return { logPath, [Symbol.asyncDispose]: cleanup };
}

async function read(logPath: string, options: LogOptions = {}): Promise<string> {
  const chunks: Buffer[] = [];
  const { signal } = new AbortController();
  const still = {
    logPath,
    signal,
    isRunning: () => false,
    onRuntimeChange: () => ({ [Symbol.dispose]() {} }),
  };
  for await (const chunk of readContainerLog({ ...still, ...options })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('lines, partial lines, streams, times and limits', async (t) => {
  await using file = await logFile(
    line('one') + line('two ', { tag: 'P' }) + line('parts') + line('err', { stream: 'stderr', second: 5 }),
  );
  const { logPath } = file;
  t.is(await read(logPath), 'one\ntwo parts\nerr\n');
  t.is(await read(logPath, { stream: 'stderr' }), 'err\n');
  t.is(await read(logPath, { tailLines: 1 }), 'err\n');
  t.is(await read(logPath, { tailLines: 0 }), '');
  t.is(await read(logPath, { tailLines: 100 }), 'one\ntwo parts\nerr\n');
  t.is(await read(logPath, { limitBytes: 5 }), 'one\nt');
  t.is(await read(logPath, { sinceMs: Date.parse('2026-01-01T00:00:03Z') }), 'err\n');
  t.is(
    await read(logPath, { timestamps: true }),
    '2026-01-01T00:00:00.000000001Z one\n' +
      '2026-01-01T00:00:00.000000001Z two parts\n' +
      '2026-01-01T00:00:05.000000001Z err\n',
  );
});

test('the tail of a long log', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, index) => line(`line ${index}`));
  await using file = await logFile(lines.join(''));
  t.is(await read(file.logPath, { tailLines: 3 }), 'line 19997\nline 19998\nline 19999\n');
  const all = await read(file.logPath, { tailLines: 5000 });
  t.is(all.split('\n').length, 5001);
  t.true(all.startsWith('line 15000\n'));
});

test('following goes through a rotation and ends with the container', async (t) => {
  await using file = await logFile(line('first'));
  const { logPath } = file;
  const state = { running: true, tell: () => {} };
  const stopping = new AbortController();
  let shown = '';
  const reading = (async () => {
    for await (const chunk of readContainerLog({
      logPath,
      signal: stopping.signal,
      follow: true,
      isRunning: () => state.running,
      onRuntimeChange(listener) {
        state.tell = listener;
        return { [Symbol.dispose]() {} };
      },
    })) {
      shown += chunk.toString();
    }
  })();
  await until('first', () => shown === 'first\n');
  appendFileSync(logPath, line('second'));
  await until('second', () => shown === 'first\nsecond\n');
  renameSync(logPath, `${logPath}.20260101-000000`);
  appendFileSync(`${logPath}.20260101-000000`, line('late'));
  writeFileSync(logPath, line('third'));
  await until('third', () => shown === 'first\nsecond\nlate\nthird\n');
  appendFileSync(logPath, line('last'));
  state.running = false;
  state.tell();
  await reading;
  t.is(shown, 'first\nsecond\nlate\nthird\nlast\n');
});

test('a rotation at the very end of the container loses no line', async (t) => {
  await using file = await logFile(line('first'));
  const { logPath } = file;
  let shown = '';
  let rotated = false;
  for await (const chunk of readContainerLog({
    logPath,
    signal: AbortSignal.timeout(30_000),
    follow: true,
    isRunning() {
      if (shown === '' || rotated) return !rotated;
      rotated = true;
      renameSync(logPath, `${logPath}.20260101-000000`);
      appendFileSync(`${logPath}.20260101-000000`, line('late'));
      writeFileSync(logPath, line('last'));
      return false;
    },
    onRuntimeChange: () => ({ [Symbol.dispose]() {} }),
  })) {
    shown += chunk.toString();
    if (shown === 'first\n') appendFileSync(logPath, line('second'));
  }
  t.is(shown, 'first\nsecond\nlate\nlast\n');
});
