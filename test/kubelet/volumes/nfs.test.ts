import { readFileSync } from 'node:fs';
import test from 'ava';
import { skipUnless } from '../../environment.ts';
import { makeNode, makePod, until } from './node.ts';
import { nfsPlugin } from '../../../kubelet/volumes/nfs.ts';
import { volumePlugins } from '../../../kubelet/volumes/plugins.ts';

const kernelHasNfs = /\bnfs4?$/m.test(readFileSync('/proc/filesystems', 'utf8'));

test('a kernel without an NFS client says so, and what to do', async (t) => {
  if (skipUnless(t, !kernelHasNfs, 'this kernel has an NFS client')) return;
  const node = makeNode(t, { plugins: [...volumePlugins, nfsPlugin] });
  const pod = makePod([{ name: 'share', nfs: { server: '192.0.2.1', path: '/x' } }]);
  node.volumes.syncPod(pod);
  await until(() => node.events.length > 0);
  t.like(node.events[0], {
    reason: 'FailedMount',
    message:
      'MountVolume.SetUp failed for volume "share" : this node has no NFS client: its kernel knows no file system nfs (/proc/filesystems) and has no module for it; run the Pod on a node whose kernel has CONFIG_NFS_FS, or use a CSI driver',
  });
});
