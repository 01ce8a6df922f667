import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { signalProcess } from '../../../linux/process.ts';
import { connectToContainer, type ContainerConnection } from '../../../runtime/native/index.ts';
import { patience, until } from '../../environment.ts';
import { machine, readLog, type Running } from './machine.ts';

/** A connection whose output is collected. */
async function attach({
  spec,
}: Running): Promise<ContainerConnection & { out: () => string; err: () => string }> {
  const connection = await connectToContainer(spec.stateDir);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  connection.attach({
    stdout: collecting(out),
    stderr: collecting(err),
  });
  return Object.assign(connection, {
    out: () => Buffer.concat(out).toString(),
    err: () => Buffer.concat(err).toString(),
  });
}

const collecting = (chunks: Buffer[]): Writable =>
  new Writable({
    write(data: Buffer, _encoding, done) {
      chunks.push(data);
      done();
    },
  });

test('a client that does not read makes the container wait, and misses nothing', async (t) => {
  const megabytes = 4;
  const running = await machine(t).start(
    `read line; dd if=/dev/zero bs=1M count=${megabytes} 2>/dev/null; echo; echo end`,
    { stdin: true },
  );
  const client = await connectToContainer(running.spec.stateDir);
  let bytes = 0;
  const blocked = Promise.withResolvers<() => void>();
  const stdout = new Writable({
    highWaterMark: 1,
    write(data: Buffer, _encoding, done) {
      bytes += data.length;
      if (bytes === data.length) blocked.resolve(done);
      else done();
    },
  });
  client.attach({ stdout });
  await client.writeStdin(Buffer.from('go\n'));
  const goOn = await blocked.promise;
  // All of it would be there long before a file of the same size is written and read.
  const file = join(running.spec.stateDir, 'file');
  writeFileSync(file, Buffer.alloc(megabytes * 1024 * 1024));
  await readFile(file);
  t.true(stdout.writableLength < 1024 * 1024, `${stdout.writableLength} bytes are held for the client`);
  goOn();
  await client.ended;
  t.is(bytes, megabytes * 1024 * 1024 + '\nend\n'.length);
});

test('what an attached client writes is stdin, and it sees output besides the log', async (t) => {
  const running = await machine(t).start(
    'echo early; while read line; do echo "got $line"; echo "err $line" >&2; done',
    { stdin: true },
  );
  const client = await attach(running);
  await client.writeStdin(Buffer.from('one\ntwo\n'));
  await until('both answers', () => client.out().includes('got two') && client.err().includes('err two'));
  t.is(client.out().replace('early\n', ''), 'got one\ngot two\n');
  t.is(client.err(), 'err one\nerr two\n');
  const logged = () =>
    running
      .log()
      .filter(({ stream }) => stream === 'stdout')
      .map(({ text }) => text);
  await until('the log', () => logged().length === 3);
  t.deepEqual(logged(), ['early', 'got one', 'got two']);
  client.close();
});

test('several clients see the same', async (t) => {
  const running = await machine(t).start('while read line; do echo "got $line"; done', { stdin: true });
  const clients = await Promise.all([attach(running), attach(running), attach(running)]);
  await clients[1]?.writeStdin(Buffer.from('x\n'));
  for (const client of clients) {
    await until('the answer', () => client.out() === 'got x\n');
    client.close();
  }
  t.pass();
});

test('stdin stays open when a client goes, unless it is for once', async (t) => {
  const vm = machine(t);
  const script = 'while read line; do echo "got $line"; done; echo over';
  const open = await vm.start(script, { stdin: true });
  for (const word of ['a', 'b']) {
    const client = await attach(open);
    await client.writeStdin(Buffer.from(`${word}\n`));
    await client.closeStdin();
    await until(word, () => client.out() === `got ${word}\n`);
    await client[Symbol.asyncDispose]();
  }
  const logged = () => open.log().map(({ text }) => text);
  await until('the log', () => logged().length === 2); // what a client is sent is logged a moment later
  t.deepEqual(logged(), ['got a', 'got b']);
  const once = await vm.start(script, { stdin: true, stdinOnce: true });
  const client = await attach(once);
  await client.writeStdin(Buffer.from('a\n'));
  await client.closeStdin();
  t.is((await once.ended).exitCode, 0);
  await client.ended;
  t.is(client.out(), 'got a\nover\n');
});

test('the first client that goes takes stdin with it, when it is for once', async (t) => {
  const running = await machine(t).start('cat; echo over', { stdin: true, stdinOnce: true });
  const client = await attach(running);
  await client.writeStdin(Buffer.from('x\n'));
  await until('the echo', () => client.out() === 'x\n');
  client.close();
  t.is((await running.ended).exitCode, 0);
  t.deepEqual(
    running.log().map(({ text }) => text),
    ['x', 'over'],
  );
});

test('the shim rests while what a client that has gone wrote waits for the container to read it', async (t) => {
  const bytes = Buffer.alloc(160 * 1024, 'abcdefghi\n'); // more than a pipe holds, not more than a socket does besides
  const script = `while [ ! -e /go ]; do sleep 0.05; done; head -c ${bytes.length}; echo; echo end`;
  const running = await machine(t).start(script, { stdin: true });
  const client = await connectToContainer(running.spec.stateDir);
  await client.writeStdin(bytes);
  await client[Symbol.asyncDispose]();
  const before = ticksOf(running.started.shim.pid);
  await setTimeout(300 * patience);
  t.true(ticksOf(running.started.shim.pid) - before < 5 * patience);
  writeFileSync(`/proc/${running.started.pid}/root/go`, '');
  await running.ended;
  const lines = running.log().map(({ text }) => text);
  t.is(lines.join('\n'), `${bytes.toString()}\nend`);
});

/** Time on a processor, of which a second has a hundred (proc_pid_stat(5), utime and stime). */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

test('more than fits in any buffer goes through whole, both ways', async (t) => {
  const running = await machine(t).start('cat', { stdin: true, stdinOnce: true });
  const client = await attach(running);
  const bytes = Buffer.alloc(3_000_000, 'abcdefghi\n');
  await client.writeStdin(bytes);
  await client.closeStdin();
  await client.ended;
  t.is(client.out().length, bytes.length);
  t.is(client.out(), bytes.toString());
});

test('without stdin a container reads nothing', async (t) => {
  const { stdout } = await machine(t).outcome('cat; readlink /proc/self/fd/0');
  t.is(stdout, '/dev/null\n');
});

test('a terminal: its name, its size, its input, one stream of output', async (t) => {
  // A signal interrupts a shell's read.
  const script =
    'tty; stty size; stty size < /dev/console; trap "stty size" WINCH; echo err >&2; until read word; do :; done; echo "got $word"; while :; do sleep 0.05; done';
  const running = await machine(t).start({ args: ['sh', '-c', script], tty: true });
  const client = await attach(running);
  await client.resize({ columns: 132, rows: 43 });
  await until('the first line', () => running.log().length > 0); // or the echo of what is typed comes first
  await client.writeStdin(Buffer.from('hello\r'));
  await until('the answer', () => client.out().includes('got hello'));
  await client.resize({ columns: 80, rows: 25 });
  await until('the new size', () => client.out().includes('25 80'));
  const lines = running.log();
  t.is(lines[0]?.text, '/dev/pts/0');
  t.true(lines.every(({ stream }) => stream === 'stdout'));
  t.true(lines.some(({ text }) => text === 'err'));
  t.true(client.out().split('got hello')[0]?.includes('hello\r\n'), 'the terminal echoes');
  await client.writeStdin(Buffer.from('\x03'));
  t.is((await running.ended).exitCode, 130, 'interrupted as at a terminal');
});

test('after rotation lines go to the new file, and none is lost', async (t) => {
  const running = await machine(t).start(
    'i=0; while [ $i -lt 3000 ] || [ ! -e /go ]; do i=$((i+1)); echo $i; done',
  );
  const path = running.spec.logPath ?? '';
  await using connection = await connectToContainer(running.spec.stateDir);
  renameSync(path, `${path}.1`);
  await connection.reopenLog();
  t.true(existsSync(path));
  writeFileSync(`/proc/${running.started.pid}/root/go`, '');
  await running.ended;
  const all = [...readLog(`${path}.1`), ...readLog(path)].map(({ text }) => text);
  t.deepEqual(
    all,
    Array.from({ length: Math.max(3000, all.length) }, (_, index) => String(index + 1)),
  );
});

test('the daemon gets in to ask for a new log when all places to attach are taken', async (t) => {
  const running = await machine(t).start('while [ ! -e /go ]; do sleep 0.01; done; echo last');
  const clients = await Promise.all(Array.from({ length: 16 }, () => attach(running)));
  const oneMore = await attach(running);
  await oneMore.ended;
  const path = running.spec.logPath ?? '';
  renameSync(path, `${path}.1`);
  await using connection = await connectToContainer(running.spec.stateDir);
  await connection.reopenLog();
  t.true(existsSync(path));
  writeFileSync(`/proc/${running.started.pid}/root/go`, '');
  for (const client of clients) await until('the output', () => client.out() === 'last\n');
  await running.ended;
});

test('a shim that goes without an answer has not opened the log anew', async (t) => {
  const running = await machine(t).start('exec sleep 1000');
  await using connection = await connectToContainer(running.spec.stateDir);
  signalProcess(running.started.shim, 'SIGSTOP');
  const reopened = connection.reopenLog();
  signalProcess(running.started.shim, 'SIGKILL');
  await t.throwsAsync(reopened, { code: 'ECONNRESET' });
});

test('a container that reads its own output does not hold up its shim', async (t) => {
  const script = 'cat /proc/1/fd/1 > /dev/null & echo $! > /reader; while read line; do echo "$line"; done';
  const running = await machine(t).start(script, { stdin: true });
  await using connection = await connectToContainer(running.spec.stateDir);
  const own = `/proc/${running.started.pid}`;
  await until('the reader reads', () => {
    const fds = `${own}/root/proc/${readFileSync(`${own}/root/reader`, 'utf8').trim()}/fd`;
    const output = readlinkSync(`${own}/fd/1`);
    return readdirSync(fds).some((fd) => Number(fd) > 2 && readlinkSync(join(fds, fd)) === output);
  });
  // Either of the two may get a line; in each of many rounds the other must not wait for the next.
  for (let round = 0; round < 300; round++) {
    await connection.writeStdin(Buffer.from('line\n'));
    await connection.reopenLog();
  }
  t.true(running.log().every(({ text }) => text === 'line'));
});

test('a log that cannot be opened anew is told, and the old one goes on', async (t) => {
  const vm = machine(t);
  const running = await vm.start('while [ ! -e /go ]; do sleep 0.01; done; echo last');
  await using connection = await connectToContainer(running.spec.stateDir);
  const path = running.spec.logPath ?? '';
  renameSync(path, `${path}.1`);
  mkdirSync(path);
  await t.throwsAsync(connection.reopenLog(), { code: 'EISDIR' });
  writeFileSync(`/proc/${running.started.pid}/root/go`, '');
  await running.ended;
  t.is(readLog(`${path}.1`)[0]?.text, 'last');
  rmdirSync(path);
});

test('an attached client that takes nothing does not stop the others’ log for long', async (t) => {
  const running = await machine(t).start(
    'while [ ! -e /go ]; do sleep 0.01; done; seq 1 50000; echo finished',
  );
  const client = await connectToContainer(running.spec.stateDir);
  client.attach({});
  writeFileSync(`/proc/${running.started.pid}/root/go`, '');
  client.close();
  t.is((await running.ended).exitCode, 0);
  t.is(running.log().length, 50001);
});

test('nobody can connect to a container that has ended', async (t) => {
  const running = await machine(t).start('true');
  await running.ended;
  await until('the end of the socket', () => !existsSync(join(running.spec.stateDir, 'control')));
  await t.throwsAsync(connectToContainer(running.spec.stateDir), { code: 'ENOENT' });
  t.is(
    readFileSync(join(running.spec.stateDir, 'plan'), 'utf8').split('\n')[0],
    `# container ${running.spec.id}`,
  );
});
