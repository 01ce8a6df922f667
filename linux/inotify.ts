import { libc } from './libc.ts';
import { onReadable, type ReadableWatch } from './poll.ts';
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
const unasked = Object.values(unaskedMasks).reduce((sum, bit) => sum | bit, 0);

export type WatchEvent = keyof typeof masks;

export interface PathEvent {
  /** What happened. Besides those asked for: `ignored` (the watch is over), `overflow` (look again), `unmount`. */
  events: (WatchEvent | keyof typeof unaskedMasks)[];
  /** The entry in the watched directory; empty when it happened to the watched path itself. */
  name: string;
}

interface Watcher {
  mask: number;
  listener: (event: PathEvent) => void;
  keepAlive: boolean;
}

/**
 * Watches a file or directory (inotify(7)). The watch is on before this returns, so look at the state after the call and nothing is
 * missed. All watches of this process share one inotify instance, of which a user may have few (max_user_instances, 128). Throws
 * SystemError (ENOENT, ENOSPC when max_user_watches is reached).
 */
export function watchPath(
  path: string,
  events: WatchEvent[],
  listener: (event: PathEvent) => void,
  { keepAlive = true } = {},
): Disposable {
  const watcher = { mask: events.reduce((sum, event) => sum | masks[event], 0), listener, keepAlive };
  const descriptor = addWatch(path, watcher.mask);
  const here = watchers.get(descriptor) ?? new Set<Watcher>();
  watchers.set(descriptor, here.add(watcher));
  refresh();
  return {
    [Symbol.dispose]() {
      if (!here.delete(watcher)) return;
      if (here.size === 0 && watchers.get(descriptor) === here) forget(descriptor);
      refresh();
    },
  };
}

/** Watch descriptor → who watches there: the kernel gives the same descriptor for the same inode. */
const watchers = new Map<number, Set<Watcher>>();
let instance: number | undefined;
let polling: ReadableWatch | undefined;

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const IN_MASK_ADD = 0x20000000;

// Adds to the mask of a descriptor that is watched already; a mask never shrinks, and notify() sorts out who wants what.
function addWatch(path: string, mask: number): number {
  instance ??= check(libc.inotifyInit(IN_NONBLOCK | IN_CLOEXEC), { operation: 'inotify_init1' });
  return check(libc.inotifyAddWatch(instance, path, mask | IN_MASK_ADD), {
    operation: 'inotify_add_watch',
    path,
  });
}

function forget(descriptor: number): void {
  watchers.delete(descriptor);
  if (instance !== undefined) libc.inotifyRemoveWatch(instance, descriptor); // EINVAL: the inode is gone, and so is the watch
}

/** Polls while somebody watches, and keeps the process alive while somebody wants that. */
function refresh(): void {
  const all = [...watchers.values()].flatMap((here) => [...here]);
  if (all.length === 0) {
    polling?.[Symbol.dispose](); // closes the instance too
    if (polling !== undefined) instance = undefined;
    polling = undefined;
  } else if (instance !== undefined) {
    const fd = instance;
    polling ??= onReadable(fd, () => dispatch(fd));
    polling.setKeepAlive(all.some(({ keepAlive }) => keepAlive));
  }
}

const everyDescriptor = -1; // of an overflow

function dispatch(fd: number): void {
  for (const { descriptor, mask, name } of readEvents(fd)) {
    const sets = descriptor === everyDescriptor ? [...watchers.values()] : [watchers.get(descriptor)];
    if ((mask & unaskedMasks.ignored) !== 0) watchers.delete(descriptor);
    for (const here of sets) notify(here ?? new Set(), mask, name);
  }
  refresh();
}

function notify(here: Set<Watcher>, mask: number, name: string): void {
  for (const watcher of Array.from(here)) {
    const wanted = mask & (watcher.mask | unasked);
    // A listener before may have disposed this one.
    if (wanted !== 0 && here.has(watcher)) watcher.listener({ events: eventNames(wanted), name });
  }
}

interface RawEvent {
  descriptor: number;
  mask: number;
  name: string;
}

const buffer = Buffer.alloc(64 * 1024);
const headerBytes = 16;

function readEvents(fd: number): RawEvent[] {
  const length = readAvailable(fd);
  const events: RawEvent[] = [];
  for (let offset = 0; offset < length;) {
    const [descriptor, mask] = [buffer.readInt32LE(offset), buffer.readUInt32LE(offset + 4)];
    const nameBytes = buffer.readUInt32LE(offset + 12);
    const name = buffer.toString('utf8', offset + headerBytes, offset + headerBytes + nameBytes);
    events.push({ descriptor, mask, name: name.replace(/\0+$/, '') });
    offset += headerBytes + nameBytes;
  }
  return events;
}

function readAvailable(fd: number): number {
  try {
    return check(Number(libc.read(fd, buffer, buffer.length)), { operation: 'read inotify' });
  } catch (error) {
    if (hasCode(error, 'EAGAIN', 'EINTR', 'EBADF')) return 0; // nothing new, or closed meanwhile
    throw error;
  }
}

const eventNames = (mask: number): PathEvent['events'] =>
  [...Object.entries(masks), ...Object.entries(unaskedMasks)]
    .filter(([, bit]) => (mask & bit) !== 0)
    .map(([name]) => name as PathEvent['events'][number]);
