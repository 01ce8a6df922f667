import { close } from 'node:fs';
import koffi from 'koffi';

export interface ReadableWatch extends Disposable {
  /** Whether watching keeps the process from ending. */
  setKeepAlive(keepAlive: boolean): void;
}

/**
 * Calls `listener` each time `fd` is readable, on the event loop and without a thread (libuv's poll handle). For kernel
 * objects that Node.js has no stream for: inotify, pidfd, epoll. The file descriptor is closed with the watch.
 * `keepAlive: false` lets the process end while it is still watching.
 */
export function onReadable(fd: number, listener: () => void, { keepAlive = true } = {}): ReadableWatch {
  const handle = koffi.node.poll(fd, { readable: true, disconnect: true }, () => {
    try {
      listener();
    } catch (error) {
      // koffi would keep it, and throw it out of whatever system call comes next.
      setImmediate(() => {
        throw error;
      });
    }
  });
  if (!keepAlive) handle.unref();
  open.add(handle);
  return {
    setKeepAlive: (wanted) => (wanted ? handle.ref() : handle.unref()),
    [Symbol.dispose]() {
      if (!open.delete(handle)) return;
      handle.stop();
      handle.close();
      // Closing an inotify instance waits some ten milliseconds for the kernel; not on the event loop.
      close(fd, () => undefined);
    },
  };
}

const open = new Set<ReturnType<typeof koffi.node.poll>>();

// An event that comes while Node.js takes itself down would call into a JavaScript that is no more, and abort the process.
process.on('exit', () => open.forEach((handle) => handle.stop()));
