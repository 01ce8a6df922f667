import { closeSync, readSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { IPty } from 'node-pty';
import { duplicate } from '../../linux/spawn.ts';
import { hasCode } from '../../linux/system-error.ts';

/** What node-pty lacks, by a file descriptor of our own, which is closed when disposed. */
export interface TerminalEnds extends Disposable {
  /**
   * Takes more only when the terminal has taken what came before; its end is typed as ^D. The write() of node-pty keeps all that the command
   * doesn't read, and asks the kernel in each turn of the event loop whether it does now.
   */
  input: Writable;
  /** What is still to be read: node-pty stops reading 200 ms after the command has ended, also when it has come to read nothing. */
  rest(): Buffer;
}

/** To be called before the terminal's process has ended. */
export function terminalEnds(terminal: IPty): TerminalEnds {
  const fd = duplicate((terminal as IPty & { readonly fd: number }).fd);
  const input = new Writable({
    write: (data: Buffer, _encoding, done) => void type(data).then(() => done(), done),
    final: (done) => void type(Buffer.from('\x04')).then(() => done(), done),
  });
  const type = async (data: Buffer): Promise<void> => {
    let waitMs = 1;
    for (let at = 0; at < data.length && !input.destroyed;) {
      const written = atOnce(() => writeSync(fd, data, at));
      at += written;
      waitMs = written > 0 ? 1 : Math.min(waitMs * 2, 50);
      if (written === 0) await delay(waitMs);
    }
  };
  return {
    input,
    rest: () => Buffer.concat([...chunksOf(fd)]),
    [Symbol.dispose]() {
      input.destroy();
      closeSync(fd);
    },
  };
}

/** As much as a terminal of Linux keeps. What comes later is of a process that outlives the command, and may have no end. */
const mostBytesKept = 640 * 1024;

function* chunksOf(fd: number): Generator<Buffer> {
  for (let total = 0; total < mostBytesKept;) {
    const chunk = Buffer.alloc(4096);
    const length = atOnce(() => readSync(fd, chunk));
    if (length === 0) return;
    total += length;
    yield chunk.subarray(0, length);
  }
}

/** How many bytes were read or written; 0 where that would wait, for node-pty made the terminal non-blocking, or at its end (EIO). */
function atOnce(transfer: () => number): number {
  try {
    return transfer();
  } catch (error) {
    if (hasCode(error, 'EAGAIN', 'EIO')) return 0;
    throw error;
  }
}
