import { libc } from './libc.ts';
import { onReadable } from './poll.ts';
import { check, hasCode } from './system-error.ts';

/** The events of inotify(7) that may be asked for. */
const masks = {
  access: 0x1,
  modify: 0x2,
  attrib: 0x4,
  closeWrite: 0x8,
  closeNoWrite: 0x10,
  open: 0x20,
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  deleteSelf: 0x400,
  moveSelf: 0x800,
} as const;
const unaskedMasks = { unmount: 0x2000, overflow: 0x4000, ignored: 0x8000 } as const;

export type WatchEvent = keyof typeof masks;

export interface PathEvent {
  /** What happened. Besides those asked for: `ignored` (the watch is over), `overflow` (look again), `unmount`. */
  events: (WatchEvent | keyof typeof unaskedMasks)[];
  /** The entry in the watched directory; empty when it happened to the watched path itself. */
  name: string;
}

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;

/**
 * Watches a file or directory by an inotify instance of its own. The watch is on before this returns, so look at the
 * state after the call and nothing is missed. Throws SystemError (ENOENT, ENOSPC when max_user_watches is reached).
 */
export function watchPath(
  path: string,
  events: WatchEvent[],
  listener: (event: PathEvent) => void,
  { keepAlive = true } = {},
): Disposable {
  const fd = check(libc.inotifyInit(IN_NONBLOCK | IN_CLOEXEC), { operation: 'inotify_init1' });
  const mask = events.reduce((sum, event) => sum | masks[event], 0);
  const watch = onReadable(fd, () => readEvents(fd).forEach(listener), { keepAlive });
  try {
    check(libc.inotifyAddWatch(fd, path, mask), { operation: 'inotify_add_watch', path });
  } catch (error) {
    watch[Symbol.dispose]();
    throw error;
  }
  return watch;
}

const buffer = Buffer.alloc(64 * 1024);
const headerBytes = 16;

function readEvents(fd: number): PathEvent[] {
  const length = readAvailable(fd);
  const events: PathEvent[] = [];
  for (let offset = 0; offset < length;) {
    const nameBytes = buffer.readUInt32LE(offset + 12);
    const name = buffer.toString('utf8', offset + headerBytes, offset + headerBytes + nameBytes);
    events.push({ events: eventNames(buffer.readUInt32LE(offset + 4)), name: name.replace(/\0+$/, '') });
    offset += headerBytes + nameBytes;
  }
  return events;
}

function readAvailable(fd: number): number {
  try {
    return check(Number(libc.read(fd, buffer, buffer.length)), { operation: 'read inotify' });
  } catch (error) {
    if (hasCode(error, 'EAGAIN', 'EINTR', 'EBADF')) return 0; // closed by a listener of the same batch, or nothing new
    throw error;
  }
}

const eventNames = (mask: number): PathEvent['events'] =>
  [...Object.entries(masks), ...Object.entries(unaskedMasks)]
    .filter(([, bit]) => (mask & bit) !== 0)
    .map(([name]) => name as PathEvent['events'][number]);
