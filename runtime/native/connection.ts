import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { openPath } from '../../linux/filesystem.ts';
import { SystemError } from '../../linux/system-error.ts';
import { readExitRecord } from './state.ts';

export interface AttachOptions {
  /** For stdout, or the terminal's output. */
  stdout?: Writable;
  stderr?: Writable;
}

/** A connection to a container's shim. */
export interface ContainerConnection extends AsyncDisposable {
  /** Output from now on goes to the streams; while one is full nothing is read, and the container's output waits. */
  attach(options: AttachOptions): void;
  /** Resolves when more can be written. */
  writeStdin(data: Buffer): Promise<void>;
  /** Closes the container's stdin where it was started with `stdinOnce`, else does nothing (the CRI's stdin_once). */
  closeStdin(): Promise<void>;
  resize(size: { columns: number; rows: number }): Promise<void>;
  /** Resolves when the log file has been opened anew. Throws SystemError. */
  reopenLog(): Promise<void>;
  /** The container's output is over, or the shim is gone. */
  ended: Promise<void>;
  close(): void;
}

/** Connects to the shim of a container. Throws ENOENT or ECONNREFUSED when it has ended. The protocol: clients.h. */
export async function connectToContainer(stateDir: string): Promise<ContainerConnection> {
  const socket = await open(stateDir);
  const output: AttachOptions = {};
  const replies: ((errno: number) => void)[] = [];
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => undefined); // 'close' follows, and `ended` tells
  readFrames(socket, (kind, payload) => {
    if (kind === 'O') pass(payload, { from: socket, to: output.stdout });
    if (kind === 'X') pass(payload, { from: socket, to: output.stderr });
    if (kind === 'R') replies.shift()?.(payload[0] ?? 0);
  });
  const send = (kind: string, payload: Buffer = Buffer.alloc(0)) => write(socket, frame(kind, payload));
  return {
    attach(options) {
      Object.assign(output, options);
      void send('A').catch(() => undefined); // `ended` tells
    },
    async writeStdin(data) {
      for (let at = 0; at < data.length; at += longestPayload)
        await send('I', data.subarray(at, at + longestPayload));
    },
    closeStdin: () => send('E'),
    async resize({ columns, rows }) {
      const size = Buffer.alloc(4);
      size.writeUInt16BE(rows, 0);
      size.writeUInt16BE(columns, 2);
      await send('W', size);
    },
    async reopenLog() {
      const reply = new Promise<number>((resolve) => replies.push(resolve));
      await send('L').catch(() => undefined); // `ended` tells
      const errno = await Promise.race([reply, ended.then(() => errnoAtEnd(stateDir))]);
      if (errno !== 0) throw new SystemError({ operation: 'reopen log of', path: stateDir }, errno);
    },
    ended,
    close: () => socket.destroy(),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await ended;
    },
  };
}

// A container that has ended logs no more. Without an end on record the shim did not answer: it was killed, or had no place left for
// this client; then the old file is still written to, and must not be taken for rotated.
const errnoAtEnd = (stateDir: string): number =>
  readExitRecord(stateDir) === undefined ? constants.errno.ECONNRESET : 0;

function pass(data: Buffer, { from, to }: { from: Socket; to: Writable | undefined }): void {
  if (to === undefined || to.write(data)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

const headerBytes = 5;
const longestPayload = 16384;

// A socket's path has 107 bytes at most; by a file descriptor of its directory every path is short.
async function open(stateDir: string): Promise<Socket> {
  using directory = openPath(stateDir);
  const socket = connect(join(directory.path, 'control'));
  await once(socket, 'connect');
  return socket;
}

function frame(kind: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write(kind);
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error == null ? resolve() : reject(error)));
  });
}

function readFrames(socket: Socket, listener: (kind: string, payload: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(1);
      if (rest.length < end) break;
      listener(String.fromCharCode(rest[0] ?? 0), rest.subarray(headerBytes, end));
      rest = rest.subarray(end);
    }
  });
}
