import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { finished } from 'node:stream/promises';
import { spawn as spawnInTerminal } from 'node-pty';
import type {
  AttachSession,
  ExecSession,
  PortForwardSession,
  StreamingRuntime,
} from '../../../runtime/streaming/streaming-runtime.ts';

/** What happened to the processes of a host runtime, for tests to look at. */
export interface HostRuntime extends StreamingRuntime {
  running: Set<number>;
  sizes: string[];
}

/** A runtime whose containers are the host itself: every exec is a process, every port one of 127.0.0.1. */
export function createHostRuntime(): HostRuntime {
  const running = new Set<number>();
  const sizes: string[] = [];
  return {
    running,
    sizes,
    exec: (session) => (session.tty ? inTerminal(session, { running, sizes }) : withPipes(session, running)),
    async attach(session: AttachSession) {
      await withPipes({ ...session, command: ['cat'] }, running);
    },
    portForward: forward,
  };
}

async function withPipes(session: ExecSession, running: Set<number>): Promise<number> {
  const { command, stdin, stdout, stderr, signal } = session;
  const [file = '', ...args] = command;
  const child = spawn(file, args);
  const { pid } = child;
  const exit = Promise.withResolvers<number>();
  child.once('error', exit.reject).once('close', (code) => exit.resolve(code ?? 137));
  if (pid !== undefined) running.add(pid);
  child.stdin.on('error', () => undefined);
  if (stdin === undefined) child.stdin.end();
  else stdin.pipe(child.stdin);
  if (stdout !== undefined) child.stdout.pipe(stdout);
  if (stderr !== undefined) child.stderr.pipe(stderr);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  try {
    const code = await exit.promise;
    await Promise.all([stdout, stderr].map(flushed));
    return code;
  } finally {
    if (pid !== undefined) running.delete(pid);
    signal.removeEventListener('abort', kill);
  }
}

async function flushed(stream: ExecSession['stdout']): Promise<void> {
  if (stream !== undefined) await finished(stream, { readable: false }).catch(() => undefined);
}

function inTerminal(session: ExecSession, seen: Pick<HostRuntime, 'running' | 'sizes'>): Promise<number> {
  const { command, stdin, stdout, onResize, signal } = session;
  const [file = '', ...args] = command;
  const terminal = spawnInTerminal(file, args, { cols: 80, rows: 24, encoding: null });
  const { promise, resolve } = Promise.withResolvers<number>();
  seen.running.add(terminal.pid);
  onResize(({ width, height }) => {
    seen.sizes.push(`${width}x${height}`);
    terminal.resize(width, height);
  });
  terminal.onData((data) => stdout?.write(data));
  stdin?.on('data', (data: Buffer) => terminal.write(data.toString('latin1')));
  signal.addEventListener('abort', () => terminal.kill('SIGHUP'));
  terminal.onExit(({ exitCode }) => {
    seen.running.delete(terminal.pid);
    resolve(exitCode);
  });
  return promise;
}

function forward({ port, stream }: PortForwardSession): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.once('error', reject).once('close', () => resolve());
  stream.once('close', () => socket.destroy());
  stream.pipe(socket).pipe(stream);
  return promise;
}
