import test from 'ava';
import { systemClock } from '../../../../client/clock.ts';
import type { KubernetesObject, PersistentVolume, PersistentVolumeClaim } from '../../../../api/types.ts';
import { StatusError } from '../../../../api/status.ts';
import type { ResourceId } from '../../../../client/objects.ts';
import type { Client } from '../../../../client/rest.ts';
import type { SchedulerHandle } from '../../../../scheduler/framework/handle.ts';
import { bindPodVolumes } from '../../../../scheduler/plugins/volume-binding/bind-volumes.ts';
import { createBindingWaits } from '../../../../scheduler/plugins/volume-binding/binding-waits.ts';
import type { PodVolumes } from '../../../../scheduler/plugins/volume-binding/find-volumes.ts';
import { createFakeClock } from '../../../client/fake-clock.ts';
import { until } from '../../../environment.ts';
import { fakeInformers } from '../../fake-informers.ts';
import type { FakeInformers } from '../../fake-informers.ts';
import { aNode } from '../../fixtures.ts';
import { aClaim, aPodWith, aVolume, zoneLabel } from '../../storage-fixtures.ts';

const pod = aPodWith(['data']);
const chosen = { 'volume.kubernetes.io/selected-node': 'node-1' };

const versioned = <T extends KubernetesObject>(object: T, resourceVersion: string): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

/** A client over the informers' objects, with optimistic concurrency; a write gives an object version 10. */
const clientOf = (informers: FakeInformers, server: Map<string, KubernetesObject>): Client => {
  const resource = ({ resource }: ResourceId) => ({
    get: async ({ name }: { name: string }) => server.get(name),
    update: async ({ object }: { object: KubernetesObject }) => {
      const present = server.get(object.metadata?.name ?? '');
      if (present?.metadata?.resourceVersion !== object.metadata?.resourceVersion) throw conflict;
      const written = versioned(object, '10');
      server.set(object.metadata?.name ?? '', written);
      informers.set(resource, written);
      return written;
    },
  });
  return { resource } as unknown as Client;
};
const conflict = new StatusError({
  status: 'Failure',
  reason: 'Conflict',
  code: 409,
  message: 'the object has been modified',
});

const begin = (volumes: PodVolumes, { present }: { present?: KubernetesObject } = {}) => {
  const claims = [...volumes.bindings.map(({ claim }) => claim), ...volumes.provisions];
  const informers = fakeInformers({
    nodes: [aNode({ labels: { [zoneLabel]: 'a' } })],
    pods: [pod],
    persistentvolumeclaims: claims,
    persistentvolumes: volumes.bindings.map(({ volume }) => volume),
  });
  const objects = [...claims, ...volumes.bindings.map(({ volume }) => volume)];
  const server = new Map<string, KubernetesObject>();
  for (const object of present === undefined ? objects : [present])
    server.set(object.metadata?.name ?? '', object);
  const clock = createFakeClock();
  const handle = {
    client: clientOf(informers, server),
    informers,
    clock: systemClock,
  } as unknown as SchedulerHandle;
  const waits = createBindingWaits({ informers, clock });
  const stopping = new AbortController();
  const state = { ended: 'no' };
  const done = bindPodVolumes({
    pod,
    nodeName: 'node-1',
    volumes,
    handle,
    waits,
    timeoutMs: 600_000,
    signal: stopping.signal,
  });
  done.then(
    () => (state.ended = 'bound'),
    (error: unknown) => (state.ended = error instanceof Error ? error.message : String(error)),
  );
  const ended = async () => {
    await until('the binding has ended', () => state.ended !== 'no');
    return state.ended;
  };
  return { informers, server, clock, stopping, state, ended, done };
};

const provision = (claim = versioned(aClaim({ annotations: chosen }), '1')) => ({
  bindings: [],
  provisions: [claim],
});
const reserve = (volume: PersistentVolume) => {
  const claim = versioned(aClaim(), '1');
  const { name = '', namespace = '', uid = '' } = claim.metadata ?? {};
  const spec = { ...volume.spec, claimRef: { name, namespace, uid } };
  return { bindings: [{ claim, volume: versioned({ ...volume, spec }, '1') }], provisions: [] };
};

const written = (server: Map<string, KubernetesObject>, name: string) =>
  until(`${name} is written`, () => server.get(name)?.metadata?.resourceVersion === '10');

const boundClaim = (claim: PersistentVolumeClaim | undefined, volumeName: string): PersistentVolumeClaim => ({
  ...claim,
  metadata: {
    ...claim?.metadata,
    resourceVersion: '11',
    annotations: { ...claim?.metadata?.annotations, 'pv.kubernetes.io/bind-completed': 'yes' },
  },
  spec: { ...claim?.spec, volumeName },
});

test('done when the claim is bound and its volume is known, whichever is told first', async (t) => {
  const { informers, server, state, ended } = begin(provision());
  await written(server, 'data');
  const claim = server.get('data') as PersistentVolumeClaim;
  informers.set('persistentvolumeclaims', boundClaim(claim, 'made'));
  t.is(state.ended, 'no');
  const { name = '', namespace = '' } = claim.metadata ?? {};
  informers.set('persistentvolumes', aVolume({ name: 'made', zone: 'a', claimRef: { name, namespace } }));
  t.is(await ended(), 'bound');
});

test('a volume made out of reach', async (t) => {
  const { informers, server, ended } = begin(provision());
  await written(server, 'data');
  informers.set('persistentvolumes', aVolume({ name: 'made', zone: 'b' }));
  informers.set('persistentvolumeclaims', boundClaim(server.get('data') as PersistentVolumeClaim, 'made'));
  t.is(
    await ended(),
    'binding volumes: pv "made" node affinity doesn\'t match node "node-1": no matching NodeSelectorTerms',
  );
});

test('a free volume', async (t) => {
  const { informers, server, state, ended } = begin(reserve(aVolume({ zone: 'a' })));
  await written(server, 'pv');
  t.is(state.ended, 'no');
  const claim = informers.store('persistentvolumeclaims').getByKey('default/data');
  informers.set('persistentvolumeclaims', boundClaim(claim as PersistentVolumeClaim, 'pv'));
  t.is(await ended(), 'bound');
});

test('the binder takes the volume away again', async (t) => {
  const { informers, server, ended } = begin(reserve(aVolume()));
  await written(server, 'pv');
  informers.set('persistentvolumes', versioned(aVolume(), '12'));
  t.is(await ended(), 'binding volumes: ClaimRef got reset for pv "pv"');
});

test('a conflict that leaves the decision alone is written again', async (t) => {
  const newer = versioned(aClaim({ annotations: { other: 'yes' } }), '5');
  const decided = versioned({ ...newer, metadata: { ...newer.metadata, annotations: chosen } }, '1');
  const { server, stopping, ended } = begin(provision(decided), { present: newer });
  await written(server, 'data');
  t.deepEqual(server.get('data')?.metadata?.annotations, { other: 'yes', ...chosen });
  stopping.abort(new Error('stopped'));
  t.is(await ended(), 'binding volumes: stopped');
});

test('a conflict that contradicts ends the try', async (t) => {
  const decided = versioned(aClaim({ annotations: chosen }), '1');
  const other = { 'volume.kubernetes.io/selected-node': 'node-2' };
  const elsewhere = versioned({ ...decided, metadata: { ...decided.metadata, annotations: other } }, '5');
  t.is(await begin(provision(decided), { present: elsewhere }).ended(), 'the object has been modified');
  const reserved = reserve(aVolume());
  const volume = reserved.bindings[0]?.volume ?? aVolume();
  const taken = versioned({ ...volume, spec: { claimRef: { name: 'other', namespace: 'default' } } }, '5');
  t.is(await begin(reserved, { present: taken }).ended(), 'the object has been modified');
});

test('provisioners that give up, claims, pods and nodes that go', async (t) => {
  const given = begin(provision());
  await written(given.server, 'data');
  given.informers.set('persistentvolumeclaims', versioned(aClaim(), '11'));
  t.is(await given.ended(), 'binding volumes: provisioning failed for PVC "data"');

  const claimless = begin(provision());
  await written(claimless.server, 'data');
  claimless.informers.forget('persistentvolumeclaims', aClaim());
  t.is(
    await claimless.ended(),
    'binding volumes: failed to check binding: persistentvolumeclaim "data" not found',
  );

  const podless = begin(provision());
  await written(podless.server, 'data');
  podless.informers.forget('pods', pod);
  t.is(await podless.ended(), 'binding volumes: pod does not exist any more: pod "web" not found');

  const nodeless = begin(provision());
  await written(nodeless.server, 'data');
  nodeless.informers.forget('nodes', aNode());
  t.is(await nodeless.ended(), 'binding volumes: failed to get node "node-1"');
});

test('ten minutes are enough', async (t) => {
  const { clock, server, state, ended } = begin(provision());
  await written(server, 'data');
  await until('the wait has begun', () => clock.pendingTimers() > 0);
  clock.advance(599_999);
  t.is(state.ended, 'no');
  clock.advance(1);
  t.is(await ended(), 'binding volumes: context deadline exceeded');
});
