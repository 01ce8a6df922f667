import { promisify } from 'node:util';
import koffi from 'koffi';
import { check } from './system-error.ts';
import type { Attempt } from './system-error.ts';

const library = koffi.load(null);
const withNumber = library.func('ioctl', 'int', ['int', 'unsigned long', 'long']);
const withBuffer = library.func('int ioctl(int fd, unsigned long request, _Inout_ void *argument)');
const waiting = promisify(withNumber.async) as (
  fd: number,
  request: number,
  value: number,
) => Promise<number>;

/** ioctl(2) with a number or a structure as its argument. Returns what the kernel does; throws SystemError. */
export function ioctl(fd: number, request: number, argument: number | Buffer, attempt: Attempt): number {
  const call = typeof argument === 'number' ? withNumber : withBuffer;
  return check(Number(call(fd, request, argument)), attempt);
}

/**
 * As ioctl(), for what waits for a disk: in a thread, so that the event loop goes on. Only for a request that may be
 * asked twice: errno is known only to the thread that saw it, so a failure is asked again in this one.
 */
export async function ioctlWaiting(
  fd: number,
  request: number,
  value: number,
  attempt: Attempt,
): Promise<number> {
  const result = await waiting(fd, request, value);
  return result < 0 ? ioctl(fd, request, value, attempt) : result;
}
