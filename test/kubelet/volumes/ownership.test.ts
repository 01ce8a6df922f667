import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Container, Pod } from '../../../api/types.ts';
import { applyFsGroup, commonUser } from '../../../kubelet/volumes/ownership.ts';
import { makeNode, makePod } from './node.ts';

const describe = (path: string) => {
  const { gid, mode } = lstatSync(path);
  return `${gid} ${(mode & 0o7777).toString(8)}`;
};

const tree = (t: { teardown(f: () => void): void }) => {
  const root = mkdtempSync(join(tmpdir(), 'vv-owner-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'dir'));
  chmodSync(join(root, 'dir'), 0o700);
  writeFileSync(join(root, 'dir/file'), '', { mode: 0o600 });
  writeFileSync(join(root, 'script'), '');
  chmodSync(join(root, 'script'), 0o755);
  symlinkSync('script', join(root, 'link'));
  return root;
};

test('a writable volume', (t) => {
  const root = tree(t);
  applyFsGroup({ directory: root, fsGroup: 3000, readOnly: false });
  t.is(describe(root), '3000 2770');
  t.is(describe(join(root, 'dir')), '3000 2770');
  t.is(describe(join(root, 'dir/file')), '3000 660');
  t.is(describe(join(root, 'script')), '3000 775');
  t.regex(describe(join(root, 'link')), /^3000 /);
});

test('a read-only volume', (t) => {
  const root = tree(t);
  applyFsGroup({ directory: root, fsGroup: 3000, readOnly: true });
  t.is(describe(join(root, 'dir')), '3000 2750');
  t.is(describe(join(root, 'dir/file')), '3000 640');
});

test('a link that leads out is not followed', (t) => {
  const root = tree(t);
  const outside = tree(t);
  symlinkSync(outside, join(root, 'out'));
  applyFsGroup({ directory: root, fsGroup: 3000, readOnly: false });
  t.is(describe(join(outside, 'dir/file')), '0 600');
});

test('OnRootMismatch looks at the root only', (t) => {
  const root = tree(t);
  const apply = (changePolicy: string) =>
    applyFsGroup({ directory: root, fsGroup: 3000, readOnly: false, changePolicy });
  apply('OnRootMismatch');
  t.is(describe(join(root, 'dir/file')), '3000 660');
  chownSync(join(root, 'dir/file'), 0, 0);
  apply('OnRootMismatch');
  t.is(statSync(join(root, 'dir/file')).gid, 0);
  apply('Always');
  t.is(statSync(join(root, 'dir/file')).gid, 3000);
  chmodSync(root, 0o770);
  chownSync(join(root, 'dir/file'), 0, 0);
  apply('OnRootMismatch');
  t.is(statSync(join(root, 'dir/file')).gid, 3000);
});

test('the Pod’s volumes belong to its fsGroup', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', { metadata: { name: 'c', namespace: 'default' }, data: { a: '1' } });
  node.api.put('secrets', { metadata: { name: 's', namespace: 'default' }, data: { a: btoa('1') } });
  const pod = makePod(
    [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
      { name: 'config', configMap: { name: 'c', defaultMode: 0o600 } },
      { name: 'secret', secret: { secretName: 's', defaultMode: 0o400 } },
    ],
    { securityContext: { fsGroup: 3000 } },
  );
  await node.volumes.waitForMount(pod);
  t.is(describe(node.pathOf(pod, 'empty-dir', 'disk')), '3000 2777');
  t.is(describe(node.pathOf(pod, 'empty-dir', 'memory')), '3000 3777');
  t.is(describe(node.pathOf(pod, 'configmap', 'config')), '3000 3777');
  const target = (plugin: string, name: string) => statSync(join(node.pathOf(pod, plugin, name), 'a'));
  t.deepEqual([target('configmap', 'config').gid, target('configmap', 'config').mode & 0o777], [3000, 0o640]);
  t.deepEqual([target('secret', 'secret').gid, target('secret', 'secret').mode & 0o777], [3000, 0o440]);
});

test('the user that all containers share', (t) => {
  const pod = (users: (number | undefined)[], ofPod?: number): Pod => ({
    spec: {
      ...(ofPod === undefined ? {} : { securityContext: { runAsUser: ofPod } }),
      containers: users.map((runAsUser, index): Container => ({
        name: `c${index}`,
        ...(runAsUser === undefined ? {} : { securityContext: { runAsUser } }),
      })),
    },
  });
  t.is(commonUser(pod([1, 1])), 1);
  t.is(commonUser(pod([1, 2])), undefined);
  t.is(commonUser(pod([1, undefined])), undefined);
  t.is(commonUser(pod([7, undefined], 7)), 7);
  t.is(commonUser(pod([undefined])), undefined);
  const watched = pod([1]);
  const spec = { containers: [], ...watched.spec, ephemeralContainers: [{ name: 'debugger' }] };
  t.is(commonUser({ ...watched, spec }), 1);
});
