import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { findProcesses } from '../../../linux/find-processes.ts';
import { runExecSession } from '../../../runtime/containers/exec-session.ts';
import type { ContainerRecord } from '../../../runtime/containers/record.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { SandboxRecord } from '../../../runtime/sandboxes/record.ts';
import type { ExecSession, TerminalSize } from '../../../runtime/streaming/streaming-runtime.ts';
import { patience, until } from '../../environment.ts';
import { machine } from '../native/machine.ts';

/** A container that sleeps, as all that the runtime has. */
async function sleeping(t: ExecutionContext) {
  const { started, spec } = await machine(t).start('exec sleep 1000');
  const container = {
    id: spec.id,
    config: { command: ['sleep'], args: [], envs: [] },
    imageConfig: {},
    user: { uid: 0, gid: 0, supplementalGroups: [] },
    home: '/',
    start: started,
    exit: null,
  } as unknown as ContainerRecord;
  const runtime = {
    containers: { find: () => container, volatileDirectoryOf: () => spec.stateDir },
    sandboxes: { find: () => ({ config: { hostname: 'host' } }) as SandboxRecord },
    cgroups: { entranceOf: () => ({ tasksFiles: [] }) },
  } as unknown as Runtime;
  const client = new AbortController();
  return {
    client,
    run: (script: string, streams: Partial<ExecSession>): Promise<number> =>
      runExecSession(runtime, {
        containerId: spec.id,
        command: ['sh', '-c', script],
        tty: false,
        onResize: () => undefined,
        signal: client.signal,
        ...streams,
      }),
    shims: () =>
      findProcesses((words) => words.some((word) => word.startsWith(join(spec.stateDir, 'exec-')))),
    files: () => readdirSync(spec.stateDir).filter((name) => name.startsWith('exec-')),
  };
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** A client that takes its first bytes for ever. */
function stalled(): { stream: Writable; reached: Promise<void> } {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  return { stream: new Writable({ highWaterMark: 1, write: () => resolve() }), reached };
}

const endless = 'while :; do echo line; done';
const goneWith = { 'its streams closed': true, 'its streams open': false };

for (const [who, tty, script] of [
  ['a command with a terminal', true, endless],
  ['a command that is not ended by the hanging up of its terminal', true, `trap "" HUP; ${endless}`],
  ['a command without a terminal', false, endless],
] as const)
  for (const [how, closed] of Object.entries(goneWith))
    test.serial(`${who} ends when the client goes, ${how}, who takes no output`, async (t) => {
      const { client, run, shims, files } = await sleeping(t);
      const { stream, reached } = stalled();
      const before = openFiles();
      const session = run(script, { tty, stdout: stream });
      await reached;
      if (closed) stream.destroy();
      client.abort();
      t.true((await session) > 128);
      t.deepEqual(shims(), []);
      t.deepEqual(files(), []);
      await until('all files are closed', () => openFiles() <= before);
    });

test.serial('all that is pasted into a terminal arrives, and all that it answers comes back', async (t) => {
  const { client, run } = await sleeping(t);
  const stdin = new PassThrough();
  const answers = new PassThrough();
  let text = '';
  answers.on('data', (data: Buffer) => (text += data.toString('latin1')));
  // It says more than fits anywhere before it takes what is pasted meanwhile.
  const script = 'stty raw -echo; echo ready; read go; head -c 4000000 /dev/zero; exec cat';
  const session = run(script, { tty: true, stdin, stdout: answers });
  await until('the command', () => text === 'ready\n');
  const pasted = 'pasted line\n'.repeat(22_000);
  stdin.write(`go\n${pasted}`);
  await until('all answers', () => text.length >= 6 + 4_000_000 + pasted.length);
  t.is(text, `ready\n${'\0'.repeat(4_000_000)}${pasted}`);
  client.abort();
  t.is(await session, 129);
});

/**
 * A client that sends without end, as far as it is taken, once the command has said something: until that has made its terminal raw, the
 * kernel takes all that is typed and throws away what is too long for a line.
 */
function flood() {
  const sent = { bytes: 0 };
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const stdin = new Readable({
    read: () =>
      void begun.then(() =>
        setImmediate(() => {
          sent.bytes += 65536;
          stdin.push(sent.bytes < 64 * 1024 * 1024 ? Buffer.alloc(65536, 'x') : null);
        }),
      ),
  });
  const stdout = new Writable({
    write(_data, _encoding, done) {
      begin();
      done();
    },
  });
  return { sent, streams: { stdin, stdout } };
}

for (const tty of [true, false])
  test.serial(
    `a client sends no more than the command takes, ${tty ? 'with' : 'without'} a terminal`,
    async (t) => {
      const { client, run, shims } = await sleeping(t);
      const before = openFiles();
      const { sent, streams } = flood();
      const ready = `${tty ? 'stty raw -echo; ' : ''}echo ready`;
      const session = run(`${ready}; exec sleep 1000`, { tty, ...streams });
      let seen = 0;
      await until('it takes no more', async () => {
        if (sent.bytes > 0 && sent.bytes === seen) return true;
        seen = sent.bytes;
        await delay(300 * patience);
        return false;
      });
      t.true(sent.bytes < 1024 * 1024, `${sent.bytes} bytes`);
      client.abort();
      t.true((await session) > 128);
      t.deepEqual(shims(), []);
      await until('all files are closed', () => openFiles() <= before);

      const { signal } = new AbortController();
      const script = `${ready}; head -c 1000000 >/dev/null; exit 3`;
      t.is(await run(script, { tty, ...flood().streams, signal }), 3);
      await until('all files are closed', () => openFiles() <= before);
    },
  );

test.serial('a client that is slow to take the output of a terminal gets all of it', async (t) => {
  const { run } = await sleeping(t);
  let bytes = 0;
  const stdout = new Writable({
    highWaterMark: 1,
    write(data: Buffer, _encoding, done) {
      bytes += data.length;
      setTimeout(done, 300);
    },
  });
  t.is(await run('stty raw; head -c 20000 /dev/zero', { tty: true, stdout }), 0);
  await finished(stdout.end());
  t.is(bytes, 20_000);
});

test.serial('a client whose window changes when the command has ended already is no accident', async (t) => {
  const { run } = await sleeping(t);
  const listeners: ((size: TerminalSize) => void)[] = [];
  const onResize: ExecSession['onResize'] = (listener) => void listeners.push(listener);
  t.is(await run('stty size; exit 3', { tty: true, onResize }), 3);
  t.is(listeners.length, 1);
  for (const resize of listeners) t.notThrows(() => resize({ width: 100, height: 30 }));
});
