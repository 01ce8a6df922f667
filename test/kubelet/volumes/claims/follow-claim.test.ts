import test from 'ava';
import { StatusError } from '../../../../api/status.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../../api/types.ts';
import { systemClock } from '../../../../client/clock.ts';
import type { ResourceId } from '../../../../client/objects.ts';
import type { Client } from '../../../../client/rest.ts';
import { followClaim } from '../../../../kubelet/volumes/claims/follow-claim.ts';
import type { VolumeSpec } from '../../../../kubelet/volumes/volume-spec.ts';
import { until } from '../../../environment.ts';

const forbidden = () =>
  new StatusError({ status: 'Failure', reason: 'Forbidden', code: 403, message: 'can only get' });

test('a server that lets claims be got but not watched is asked at each sync', async (t) => {
  const claim: PersistentVolumeClaim = {
    metadata: { name: 'data', namespace: 'default', uid: 'u', resourceVersion: '1' },
    spec: { volumeName: 'pv' },
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  };
  const volume: PersistentVolume = {
    metadata: { name: 'pv', resourceVersion: '1' },
    spec: { claimRef: { uid: 'u' }, capacity: { storage: '1Gi' } },
  };
  let lists = 0;
  const client = {
    resource: ({ resource }: ResourceId) => ({
      get: async () => structuredClone(resource === 'persistentvolumes' ? volume : claim),
      list: async () => {
        lists += 1;
        throw forbidden();
      },
      watch: async () => {
        throw forbidden();
      },
    }),
  } as unknown as Client;
  const specs: VolumeSpec[] = [];
  const pod = { metadata: { name: 'one', namespace: 'default' } };
  const follower = followClaim({
    client,
    clock: systemClock,
    pod,
    volume: { name: 'v', persistentVolumeClaim: { claimName: 'data' } },
    use: { asDirectory: true, asDevice: false },
    onSpec: (spec) => specs.push(spec),
    onProblem: (reason) => t.fail(reason),
  });
  t.teardown(() => follower.close());
  await follower.firstLook;
  t.is(specs.length, 1);
  await until('a list', () => lists > 0);
  // Nothing has changed: nothing is told.
  follower.look(pod);
  Object.assign(volume, {
    metadata: { name: 'pv', resourceVersion: '2' },
    spec: { ...volume.spec, capacity: { storage: '2Gi' } },
  });
  follower.look(pod);
  await until('two specs', () => specs.length === 2);
  t.is(specs[1]?.persistentVolume?.spec?.capacity?.['storage'], '2Gi');
});
