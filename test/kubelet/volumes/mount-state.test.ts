import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test from 'ava';
import { mountStateOf } from '../../../kubelet/volumes/mount-state.ts';
import { skipUnless } from '../../environment.ts';
import { mountDeadServer } from './dead-server.ts';

test('what is mounted, and what was', async (t) => {
  t.is(await mountStateOf('/proc'), 'mounted');
  t.is(await mountStateOf(`${tmpdir()}/not there`), 'not mounted');
  if (skipUnless(t, existsSync('/dev/fuse'), 'this kernel has no FUSE')) return;
  const server = mountDeadServer(t);
  server.end();
  t.is(await mountStateOf(server.path), 'dead');
});
