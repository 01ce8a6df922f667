import test from 'ava';
import { mountReferences, referencesInTheWay } from '../../../../kubelet/volumes/devices/mount-references.ts';
import { parseMountInfoLine } from '../../../../linux/mount-info.ts';

const root = '/var/lib/podwright/c/nodes/node-2/kubelet';
const other = '/var/lib/podwright/c/nodes/node-3/kubelet';
const staged = '/plugins/kubernetes.io/csi/driver/hash/globalmount';
const published = '/pods/uid/volumes/kubernetes.io~csi/pv/mount';

const mounted = (...mountPoints: string[]) =>
  mountPoints.map((mountPoint, index) =>
    parseMountInfoLine(`${index + 30} 1 7:5 / ${mountPoint} ro,relatime - ext4 /dev/loop5 ro`),
  );

test('a staged disk is referred to by all its other mounts', (t) => {
  const mounts = mounted(root + staged, root + published, '/mnt/manual');
  t.deepEqual(mountReferences(root + staged, mounts), [root + published, '/mnt/manual']);
  t.deepEqual(mountReferences(root, mounts), []);
});

test('what this node or somebody by hand has mounted is in the way', (t) => {
  const subPath = `${root}/pods/uid/volume-subpaths/pv/main/0`;
  const mounts = mounted(root + staged, root + published, subPath, '/mnt/manual');
  t.deepEqual(referencesInTheWay(root + staged, root, mounts), [root + published, subPath, '/mnt/manual']);
});

test('what the kubelet of another node has mounted for itself is not', (t) => {
  const mounts = mounted(root + staged, other + staged, other + published);
  t.deepEqual(referencesInTheWay(root + staged, root, mounts), []);
});
