import { libc } from './libc.ts';
import { onReadable } from './poll.ts';
import { check } from './system-error.ts';

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** An eventfd(2) for the kernel to signal (a v1 cgroup's cgroup.event_control): calls `listener` each time. */
export function createEventCounter(listener: () => void): Disposable & { fd: number } {
  const fd = check(libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), { operation: 'eventfd' });
  const count = Buffer.alloc(8);
  const onEvent = () => {
    if (libc.read(fd, count, count.length) > 0) listener();
  };
  return Object.assign(onReadable(fd, onEvent, { keepAlive: false }), { fd });
}
