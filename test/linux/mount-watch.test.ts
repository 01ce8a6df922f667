import { readFile } from 'node:fs';
import test from 'ava';
import { mount, unmount } from '../../linux/mount.ts';
import { watchMounts } from '../../linux/mount-watch.ts';
import { isRoot, skipUnless, until } from '../environment.ts';
import { scratch } from './scratch.ts';

test.serial('tells that something was mounted, and that it was unmounted', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const directory = scratch(t);
  t.teardown(() => unmount(directory, { ifMounted: true }));
  let changes = 0;
  const watch = watchMounts(() => (changes += 1));
  await until('the beginning is told', () => changes > 0);
  changes = 0;
  mount({ source: 'bb-watch', target: directory, type: 'tmpfs' });
  await until('the mount is told', () => changes > 0);
  const before = changes;
  unmount(directory);
  await until('the unmount is told', () => changes > before);
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  t.pass();
});

test.serial('tells of what was mounted before the event loop could wait for it', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const directory = scratch(t);
  t.teardown(() => unmount(directory, { ifMounted: true }));
  let isMounted = false;
  let changes = 0;
  // In the callback of input, the immediates of this turn come before the event loop waits again.
  readFile('/proc/self/mountinfo', () => {
    const watch = watchMounts(() => (changes += isMounted ? 1 : 0));
    t.teardown(() => watch[Symbol.dispose]());
    setImmediate(() => {
      mount({ source: 'bb-watch', target: directory, type: 'tmpfs' });
      isMounted = true;
    });
  });
  await until('the mount is told', () => changes > 0);
  t.pass();
});
