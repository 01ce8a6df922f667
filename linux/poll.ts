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
  let open = true;
  return {
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      handle.stop();
      handle.close();
      closeSync(fd);
    },
  };
}
