import { closeSync, openSync } from 'node:fs';
import { libc } from './libc.ts';
import { onReadable } from './poll.ts';
import { check } from './system-error.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLPRI = 0x2;
/** A `struct epoll_event`: 12 bytes on x86_64, 16 elsewhere; the events come first. */
const eventBytes = 16;

/**
 * Calls `listener` when something has been mounted or unmounted in this process's mount namespace; several changes may be told
 * as one, and it is told once at the beginning. The kernel tells it as an exceptional event of the file mountinfo
 * (proc_pid_mountinfo(5)), which Node.js can't wait for; but an epoll instance that waits for it becomes readable. Throws SystemError.
 */
export function watchMounts(listener: () => void, { keepAlive = true } = {}): Disposable {
  const mounts = openSync('/proc/self/mountinfo', 'r');
  const epoll = check(libc.epollCreate(EPOLL_CLOEXEC), { operation: 'epoll_create1' });
  const event = Buffer.alloc(eventBytes);
  event.writeUInt32LE(EPOLLPRI);
  check(libc.epollControl(epoll, EPOLL_CTL_ADD, mounts, event), { operation: 'watch mountinfo' });
  const happened = Buffer.alloc(eventBytes);
  const watch = onReadable(
    epoll,
    () => {
      // Takes the event off, if that has not happened by waiting for it; either way something has changed.
      libc.epollWait(epoll, happened, 1, 0);
      listener();
    },
    { keepAlive },
  );
  // The event loop begins to wait only at its next turn, and by that the kernel forgets what was before: so tell it. An immediate of
  // this turn would still come before that, the one after it does not.
  let first = setImmediate(() => (first = setImmediate(listener)));
  let isOpen = true;
  return {
    [Symbol.dispose]() {
      if (!isOpen) return;
      isOpen = false;
      clearImmediate(first);
      watch[Symbol.dispose]();
      closeSync(mounts);
    },
  };
}
