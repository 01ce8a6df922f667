import { createVolumeManager } from '../../../kubelet/volumes/volume-manager.ts';
import { createFakeApi } from './fake-api.ts';
import { crashObjects, crashPods } from './crash-pods.ts';

// A process that sets up, changes and takes away volumes until it is killed.
const rootDir = process.argv[2] ?? '';
const api = createFakeApi();
const volumes = createVolumeManager({
  rootDir,
  client: api.client,
  nodeAllocatable: () => ({ memory: '1Gi' }),
  recordEvent: () => undefined,
});
volumes.reconstruct();
crashObjects(api, 'from-the-killed');
process.stdout.write('begun\n');
for (let version = 0; ; version += 1) {
  await Promise.all(crashPods.map((pod) => volumes.waitForMount(pod)));
  for (const pod of crashPods) {
    const [container] = pod.spec?.containers ?? [];
    if (container !== undefined) await volumes.mountsFor({ pod, container, environment: [] });
  }
  crashObjects(api, `v${version}`);
  const uid = crashPods[version % crashPods.length]?.metadata?.uid ?? '';
  await volumes.unmountPod(uid);
  await volumes.removePodDirectory(uid);
}
