import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { removeTree } from '../../../kubelet/volumes/remove-tree.ts';
import { bindMount, mount, unmount } from '../../../linux/mount.ts';
import { makeNode, makePod, mountsAt } from './node.ts';
import { until } from '../../environment.ts';

const configMap = { metadata: { name: 'c', namespace: 'default' }, data: { a: '1' } };
const secret = { metadata: { name: 's', namespace: 'default' }, data: { a: btoa('1') } };
const all = () =>
  makePod([
    { name: 'disk', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory' } },
    { name: 'config', configMap: { name: 'c' } },
    { name: 'secret', secret: { secretName: 's' } },
    { name: 'info', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ]);

test('after a restart nothing is mounted over, and contents stay', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap);
  node.api.put('secrets', secret);
  const pod = all();
  await node.volumes.waitForMount(pod);
  for (const name of ['disk', 'memory'])
    writeFileSync(join(node.pathOf(pod, 'empty-dir', name), 'kept'), name);
  const ids = () =>
    ['empty-dir/memory', 'secret/secret', 'downward-api/info'].map((path) => {
      const [plugin = '', name = ''] = path.split('/');
      return mountsAt(node.pathOf(pod, plugin, name)).map(({ id }) => id);
    });
  const before = ids();
  t.deepEqual(
    before.map((list) => list.length),
    [1, 1, 1],
  );
  await node.restart();
  await node.volumes.waitForMount(pod);
  t.deepEqual(ids(), before);
  for (const name of ['disk', 'memory']) {
    t.is(readFileSync(join(node.pathOf(pod, 'empty-dir', name), 'kept'), 'utf8'), name);
  }
});

test('a Pod that went away during the outage is unmounted and removed, the others stay', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap);
  node.api.put('secrets', secret);
  const [gone, stays] = [all(), all()];
  await node.volumes.waitForMount(gone);
  await node.volumes.waitForMount(stays);
  await node.restart();
  node.volumes.syncPod(stays);
  const uids = [gone, stays].map(({ metadata }) => metadata?.uid ?? '');
  t.deepEqual(await node.volumes.removeOrphans({ keep: new Set(uids.slice(1)) }), uids.slice(0, 1));
  t.deepEqual(readdirSync(join(node.rootDir, 'pods')), uids.slice(1));
  t.deepEqual(mountsAt(node.pathOf(gone, 'secret', 'secret')), []);
  t.is(readFileSync(join(node.pathOf(stays, 'secret', 'secret'), 'a'), 'utf8'), '1');
});

test('a volume cut short between its mount and its end is made whole', async (t) => {
  const node = makeNode(t);
  node.api.put('secrets', secret);
  const pod = makePod([
    { name: 'secret', secret: { secretName: 's' } },
    { name: 'memory', emptyDir: { medium: 'Memory' } },
  ]);
  for (const path of [node.pathOf(pod, 'secret', 'secret'), node.pathOf(pod, 'empty-dir', 'memory')]) {
    mkdirSync(path, { recursive: true });
    mount({ target: path, type: 'tmpfs' });
  }
  mkdirSync(join(node.pathOf(pod, 'secret', 'secret'), '..2020_01_01_00_00_00.1'));
  await node.restart();
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'secret', 'secret');
  t.is(mountsAt(path).length, 1);
  t.is(readFileSync(join(path, 'a'), 'utf8'), '1');
  await until('the stale folder is gone', () => !existsSync(join(path, '..2020_01_01_00_00_00.1')));
});

test('a folder of a volume type of another version is taken away too', async (t) => {
  const node = makeNode(t);
  const path = join(node.rootDir, 'pods/other/volumes/example.com~thing/x');
  mkdirSync(path, { recursive: true });
  mount({ target: path, type: 'tmpfs' });
  await node.restart();
  t.true(node.volumes.hasVolumes('other'));
  t.deepEqual(await node.volumes.removeOrphans({ keep: new Set() }), ['other']);
  t.deepEqual(readdirSync(join(node.rootDir, 'pods')), []);
});

test('a volume that the Pod has no more is taken away', async (t) => {
  const node = makeNode(t);
  const pod = all();
  node.api.put('configmaps', configMap);
  node.api.put('secrets', secret);
  await node.volumes.waitForMount(pod);
  await node.restart();
  await node.volumes.waitForMount(makePod([], {}, {}));
  const less = { ...pod, spec: { ...pod.spec, containers: [], volumes: [] } };
  node.volumes.syncPod(less);
  await node.volumes.unmountPod(pod.metadata?.uid ?? '');
  t.false(existsSync(node.pathOf(pod, 'secret', 'secret')));
});

test('nothing is set up for a Pod that ends, and a running setup is ended', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'config', configMap: { name: 'never' } }]);
  const uid = pod.metadata?.uid ?? '';
  const waiting = node.volumes.waitForMount(pod);
  await Promise.all([
    node.volumes.unmountPod(uid),
    t.throwsAsync(waiting, { message: /^unmounted volumes=\[config\].*: the Pod is terminating$/ }),
  ]);
  node.volumes.syncPod(pod);
  node.api.put('configmaps', { metadata: { name: 'never', namespace: 'default' } });
  t.false(existsSync(node.pathOf(pod, 'configmap', 'config')));
  t.is(node.volumes.objects.size, 0);
  await node.volumes.removePodDirectory(uid);
});

test('what is mounted inside an emptyDir is unmounted, not deleted', async (t) => {
  const outside = mkdtempSync(join(tmpdir(), 'vv-outside-'));
  t.teardown(() => rmSync(outside, { recursive: true }));
  writeFileSync(join(outside, 'precious'), '');
  const node = makeNode(t);
  const pod = makePod([{ name: 'data', emptyDir: {} }]);
  await node.volumes.waitForMount(pod);
  const inner = join(node.pathOf(pod, 'empty-dir', 'data'), 'inner');
  mkdirSync(inner);
  bindMount({ source: outside, target: inner });
  await node.volumes.unmountPod(pod.metadata?.uid ?? '');
  t.true(existsSync(join(outside, 'precious')));
  t.false(existsSync(inner));
});

test('removeTree refuses a tree with a mount in it and removes nothing', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'vv-tree-'));
  const inner = join(root, 'b/inner');
  mkdirSync(inner, { recursive: true });
  writeFileSync(join(root, 'a'), '');
  mount({ target: inner, type: 'tmpfs' });
  await t.throwsAsync(removeTree(root), { message: `not removing ${root}: ${inner} is mounted` });
  t.true(existsSync(join(root, 'a')));
  unmount(inner);
  await removeTree(root);
  t.false(existsSync(root));
  await removeTree(root);
});
