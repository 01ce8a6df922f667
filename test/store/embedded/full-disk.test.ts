import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { mount, unmount } from '../../../linux/mount.ts';
import { openEmbeddedStore } from '../../../store/embedded/open.ts';
import { isRoot, skipUnless } from '../../environment.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const MEBIBYTE = 1 << 20;

test('a full disk fails the writes and nothing else, until there is room again', async (t) => {
  if (skipUnless(t, isRoot(), 'only root mounts a small disk')) return;
  const disk = temporaryFolder(t);
  mount({ type: 'tmpfs', target: disk, data: 'size=4m' });
  t.teardown(() => unmount(disk, { lazy: true }));
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(MEBIBYTE));
  const dir = join(disk, 'store');
  let store = openEmbeddedStore({ dir });
  t.teardown(() => store.close());
  const value = Buffer.alloc(20_000, 'v');
  const put = (key: string) => store.txn({ success: [{ type: 'put', key, value }] });
  const written = new Map<string, number>();
  const fill = async (): Promise<Error> => {
    for (let count = 0; count < 500; count++) {
      try {
        const key = `/k/${1000 + count}`;
        written.set(key, (await put(key)).revision);
      } catch (error) {
        return error as Error;
      }
    }
    throw new Error('the disk has room for everything');
  };
  const found = async () =>
    new Map((await store.list({ prefix: '/' })).items.map(({ key, modRevision }) => [key, modRevision]));

  const { message } = await fill();
  t.regex(message, /^commit to the store failed, nothing was written: .+; is its disk full\?$/);
  t.true(written.size > 10);
  const together = await Promise.allSettled(['/x', '/y', '/z'].map(put));
  t.deepEqual(
    together.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  t.deepEqual(await found(), written);
  await store.close();
  store = openEmbeddedStore({ dir });
  t.deepEqual(await found(), written);
  rmSync(ballast);
  t.is((await put('/after')).revision, written.size + 2);
  t.is(await store.currentRevision(), written.size + 2);
});
