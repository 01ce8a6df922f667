import test from 'ava';
import { mount, unmount } from '../../linux/mount.ts';
import { watchMounts } from '../../linux/mount-watch.ts';
import { eventually, isRoot, skipUnless } from '../environment.ts';
import { scratch } from './scratch.ts';

test('tells that something was mounted, and that it was unmounted', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const directory = scratch(t);
  t.teardown(() => unmount(directory, { ifMounted: true }));
  let changes = 0;
  const watch = watchMounts(() => (changes += 1));
  await eventually(() => changes > 0, 'the beginning is told');
  changes = 0;
  mount({ source: 'bb-watch', target: directory, type: 'tmpfs' });
  await eventually(() => changes > 0, 'the mount is told');
  const before = changes;
  unmount(directory);
  await eventually(() => changes > before, 'the unmount is told');
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  t.pass();
});
