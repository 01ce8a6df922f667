import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { watchPath } from '../../linux/inotify.ts';
import { tailOffset } from './tail-offset.ts';

export interface LogOptions {
  follow?: boolean;
  timestamps?: boolean;
  /** Only lines of this stream. */
  stream?: 'stdout' | 'stderr';
  /** Milliseconds since 1970: older lines are left out. */
  sinceMs?: number;
  /** Begin with the last lines. */
  tailLines?: number;
  limitBytes?: number;
}

export interface ReadLogOptions extends LogOptions {
  logPath: string;
  signal: AbortSignal;
  /** Following ends when the container no longer runs and everything is read. */
  isRunning(): boolean;
  onRuntimeChange: (listener: () => void) => Disposable;
}

/**
 * Reads a CRI log file (`<time> <stream> <F|P> <text>`) and yields what `kubectl logs` shows. With `follow` it goes on
 * by inotify, through rotations, until the container has ended or `signal` aborts.
 */
export async function* readContainerLog(options: ReadLogOptions): AsyncGenerator<Buffer> {
  const { logPath, signal, limitBytes = Infinity } = options;
  if (options.tailLines === 0 && !options.follow) return;
  using news = waitForNews(options);
  let left = limitBytes;
  let file = await open(logPath, 'r');
  let next: FileHandle | undefined;
  try {
    let position = await tailOffset(file, options.tailLines);
    const parser = createLineParser(options);
    while (!signal.aborted) {
      // Asked before reading: what was written until the end is then surely read.
      const running = options.follow && options.isRunning();
      for (let chunk = await readAt(file, position); chunk.length > 0; chunk = await readAt(file, position)) {
        position += chunk.length;
        const shown = parser(chunk).subarray(0, Math.min(left, Number.MAX_SAFE_INTEGER));
        if (shown.length > 0) yield shown;
        left -= shown.length;
        if (left <= 0 || signal.aborted) return;
      }
      if (next) {
        await file.close();
        [file, next, position] = [next, undefined, 0];
        continue;
      }
      if (!options.follow) return;
      // Once the new file is there the old one is whole: what was written to it after the last read comes first.
      next = await reopened(file, logPath);
      if (!next && !running) return;
      if (!next) await news.wait();
    }
  } finally {
    await Promise.all([file.close(), next?.close()]);
  }
}

const chunkBytes = 64 * 1024;

async function readAt(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
  return buffer.subarray(0, bytesRead);
}

/** The file of that name, when it is another one than ours; between rename and reopening there is none. */
async function reopened(file: FileHandle, logPath: string): Promise<FileHandle | undefined> {
  const next = await open(logPath, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!next) return undefined;
  const [ours, theirs] = await Promise.all([file.stat(), next.stat()]);
  if (ours.ino !== theirs.ino || ours.dev !== theirs.dev) return next;
  await next.close();
  return undefined;
}

/** Resolves when the folder of the log or the container has changed since the last call. */
function waitForNews({ follow, logPath, signal, onRuntimeChange }: ReadLogOptions) {
  if (!follow) return { wait: () => Promise.resolve(), [Symbol.dispose]() {} };
  let changed = false;
  let wake = () => {};
  const tell = () => {
    changed = true;
    wake();
  };
  const name = basename(logPath);
  const watch = watchPath(dirname(logPath), ['modify', 'create', 'movedTo', 'movedFrom'], (event) => {
    if (event.name === name || event.name === '') tell();
  });
  const runtime = onRuntimeChange(tell);
  signal.addEventListener('abort', tell);
  return {
    async wait() {
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      changed = false;
    },
    [Symbol.dispose]() {
      watch[Symbol.dispose]();
      runtime[Symbol.dispose]();
      signal.removeEventListener('abort', tell);
    },
  };
}

/** Takes bytes of the file, gives back what is shown of the lines that are complete. */
function createLineParser(options: LogOptions): (chunk: Buffer) => Buffer {
  let rest = Buffer.alloc(0);
  let isContinued = false;
  return (chunk) => {
    const bytes = Buffer.concat([rest, chunk]);
    const shown: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      const line = parsedLine(bytes.subarray(start, end));
      start = end + 1;
      if (!line) continue;
      // What goes on from the line before has no time of its own in the middle of the text.
      if (isWanted(line, options)) shown.push(shownLine(line, options.timestamps === true && !isContinued));
      isContinued = line.isPartial && line.text.length > 0;
    }
    rest = Buffer.from(bytes.subarray(start));
    return Buffer.concat(shown);
  };
}

interface LogLine {
  time: string;
  stream: string;
  /** Its end is in the next line. */
  isPartial: boolean;
  text: Buffer;
}

function parsedLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(0x20);
  const second = line.indexOf(0x20, first + 1);
  const third = line.indexOf(0x20, second + 1);
  if (first < 0 || second < 0) return undefined;
  return {
    time: line.toString('latin1', 0, first),
    stream: line.toString('latin1', first + 1, second),
    isPartial: line[second + 1] === 0x50,
    text: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
  };
}

const isWanted = (line: LogLine, { stream, sinceMs }: LogOptions): boolean =>
  (stream === undefined || line.stream === stream) &&
  (sinceMs === undefined || !(Date.parse(line.time) < sinceMs));

const newline = Buffer.from('\n');

const shownLine = ({ time, isPartial, text }: LogLine, withTime: boolean): Buffer =>
  Buffer.concat([...(withTime ? [Buffer.from(`${time} `)] : []), text, ...(isPartial ? [] : [newline])]);
