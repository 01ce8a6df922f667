import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { Pod } from '../../../api/types.ts';
import type { VolumePlugin, VolumeServices } from '../../../kubelet/volumes/plugin.ts';
import { PodVolumes } from '../../../kubelet/volumes/pod-volumes.ts';
import { createStatsCache } from '../../../kubelet/volumes/stats-cache.ts';
import { VolumeWorker } from '../../../kubelet/volumes/volume-worker.ts';
import { createFakeClock } from '../../client/fake-clock.ts';

test('a volume that the Pod has again while it is taken away is set up again', async (t) => {
  const clock = createFakeClock();
  const steps: string[] = [];
  const { promise: takenAway, resolve } = Promise.withResolvers<void>();
  const plugin: VolumePlugin = {
    name: 'kubernetes.io/empty-dir',
    canSupport: () => true,
    requiresRemount: false,
    readOnly: false,
    async setUp() {
      steps.push('set up');
      return undefined;
    },
    tearDown() {
      steps.push('tear down');
      return takenAway;
    },
  };
  const volumes = new PodVolumes({
    uid: 'uid',
    plugins: [plugin],
    stats: createStatsCache({ clock }),
    makeWorker: ({ volumeName, onChange }) =>
      new VolumeWorker({
        place: { podUid: 'uid', volumeName, directory: '/none/work', metaDirectory: '/none/meta' },
        plugin,
        services: {} as VolumeServices,
        clock,
        onChange,
        onSetUpError: () => undefined,
        onTearDownError: () => undefined,
      }),
  });
  const volumeMounts = [{ name: 'work', mountPath: '/work' }];
  const without: Pod = {
    spec: { containers: [{ name: 'main' }], volumes: [{ name: 'work', emptyDir: {} }] },
  };
  const using: Pod = { spec: { ...without.spec, containers: [{ name: 'main', volumeMounts }] } };
  for (const pod of [using, without, using]) {
    volumes.sync(pod);
    await turn();
  }
  t.false(volumes.mounted().has('work'));
  resolve();
  await turn();
  t.deepEqual(steps, ['set up', 'tear down', 'set up']);
  t.true(volumes.mounted().has('work'));
});
