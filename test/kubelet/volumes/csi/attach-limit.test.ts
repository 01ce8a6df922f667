import test from 'ava';
import { systemClock } from '../../../../client/clock.ts';
import { volumeAttachments } from '../../../../client/resources.ts';
import { followOwnNode } from '../../../../kubelet/node/own-node.ts';
import { createCsiDrivers } from '../../../../kubelet/plugin-registration/csi-drivers.ts';
import { attachmentNameOf } from '../../../../api/storage/attachment.ts';
import { MountError } from '../../../../kubelet/volumes/mount-error.ts';
import { createPersistentVolumes } from '../../../../kubelet/volumes/persistent-volumes.ts';
import { createVolumeManager } from '../../../../kubelet/volumes/volume-manager.ts';
import { patience, until } from '../../../environment.ts';
import { startStorageBench } from './storage-bench.ts';

test('a Pod whose volume the node has no room for is to be rejected, and the CSINode brought up to date', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { nodeAllocatableUpdatePeriodSeconds: 3600 } });
  const { client, driver, nodeName } = bench;
  await bench.makeVolume('data');
  await bench.attach('data');
  await bench.detach('data');
  const name = attachmentNameOf({ driver: driver.name, handle: 'handle-data' }, nodeName);
  await client.resource(volumeAttachments).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name },
      spec: { attacher: driver.name, nodeName, source: { persistentVolumeName: 'data' } },
    },
  });
  const attachError = { message: 'too many', errorCode: 8, time: new Date().toISOString() };
  await client.resource(volumeAttachments).patch({
    name,
    type: 'merge',
    subresource: 'status',
    patch: { status: { attached: false, attachError } },
  });
  const pod = await bench.makePod('one', ['data']);
  // A volume manager of our own on the same node, because the kubelet's waits for two minutes.
  await bench.kubelet.stop();
  const ownNode = followOwnNode({ client, nodeName, onError: (error) => t.log(error) });
  const refreshed: string[] = [];
  const persistent = createPersistentVolumes({
    rootDir: bench.rootDir,
    nodeName,
    client,
    clock: systemClock,
    ownNode,
    drivers: createCsiDrivers(),
    events: { pod: () => undefined, claim: () => undefined },
    refreshLimit: async (driverName) => void refreshed.push(driverName),
    onError: (error) => t.log(error),
  });
  const volumes = createVolumeManager({
    rootDir: bench.rootDir,
    client,
    nodeAllocatable: () => ({}),
    recordEvent: () => undefined,
    persistent,
  });
  t.teardown(() => Promise.all([volumes.close(), persistent.close(), ownNode.stop()]).then(() => undefined));
  await until('the CSIDriver is known', () => persistent.driverObjects.known(driver.name));
  const error = await t.throwsAsync(volumes.waitForMount(pod, { timeoutMs: 500 * patience }), {
    instanceOf: MountError,
  });
  t.is(
    error?.message,
    'Node has reached its volume attachment limit, rejecting pod. unmounted volumes=[data], unattached volumes=[data], failed to process volumes=[]: context deadline exceeded',
  );
  t.true(error?.limitExceeded);
  t.deepEqual(refreshed, [driver.name]);
});
