import { closeSync } from 'node:fs';
import koffi from 'koffi';

/**
 * Calls `listener` each time `fd` is readable, on the event loop and without a thread (libuv's poll handle). For kernel
 * objects that Node.js has no stream for: inotify, pidfd, eventfd, signalfd. The file descriptor is closed with the watch.
 * `keepAlive: false` lets the process end while it is still watching.
 */
export function onReadable(fd: number, listener: () => void, { keepAlive = true } = {}): Disposable {
  const handle = koffi.node.poll(fd, { readable: true, disconnect: true }, () => listener());
  if (!keepAlive) handle.unref();
  open.add(handle);
  return {
    [Symbol.dispose]() {
      if (!open.delete(handle)) return;
      handle.stop();
      handle.close();
      closeSync(fd);
    },
  };
}

const open = new Set<ReturnType<typeof koffi.node.poll>>();

// An event that comes while Node.js takes itself down would call into a JavaScript that is no more, and abort the process.
process.on('exit', () => open.forEach((handle) => handle.stop()));
