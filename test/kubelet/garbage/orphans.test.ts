import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { dir } from 'tmp-promise';
import { removeOrphans } from '../../../kubelet/garbage/orphans.ts';
import type { OrphanOptions } from '../../../kubelet/garbage/orphans.ts';
import { createPodDirectory } from '../../../kubelet/sources/pod-directory.ts';
import { podOf } from '../pod-builder.ts';

test('what belongs to a Pod that comes while orphans are removed stays', async (t) => {
  const { path: logs, cleanup } = await dir({ unsafeCleanup: true, prefix: 'orphans-test' });
  t.teardown(cleanup);
  const directory = createPodDirectory();
  const cgroups = new Set<string>();
  const leave = (uid: string) => {
    mkdirSync(join(logs, `default_web_${uid}`));
    cgroups.add(uid);
  };
  leave('gone');
  const options = {
    directory,
    workers: { list: () => [], get: () => undefined },
    context: {
      cache: { all: () => [], uids: () => [] },
      folders: { logs },
      cgroups: {
        existing: () => [...cgroups].map((uid) => ({ uid, path: uid })),
        removePath: async (path: string) => void cgroups.delete(path),
      },
    },
    volumes: {
      async removeOrphans() {
        directory.set(podOf());
        leave('uid-1');
      },
    },
  } as unknown as OrphanOptions;
  await removeOrphans(options);
  t.deepEqual([...cgroups], ['uid-1']);
  t.deepEqual(readdirSync(logs), ['default_web_uid-1']);
});
