import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { Pod } from '../../../api/types.ts';
import { pods } from '../../../client/resources.ts';
import { ephemeralVolumeController } from '../../../controllers/ephemeral-volume/ephemeral-volume.ts';
import { until } from '../../environment.ts';
import { eventAbout, found, startControllerRig } from '../controller-rig.ts';
import { aPodWith, storageClient } from '../persistent-volume/fixtures.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

test.before(async (t) => {
  t.context = await startControllerRig([ephemeralVolumeController]);
});
test.after.always((t) => t.context.stop());

const podWithScratch = (name: string): Pod => ({
  ...aPodWith(name, [], {
    volumes: [
      {
        name: 'scratch',
        ephemeral: {
          volumeClaimTemplate: {
            metadata: { labels: { tier: 'scratch' }, annotations: { note: 'mine' } },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: 'fast',
              resources: { requests: { storage: '1Gi' } },
            },
          },
        },
      },
      { name: 'empty', emptyDir: {} },
    ],
  }),
});

test('a pod with an ephemeral volume gets a claim that it owns; again when somebody deletes it', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const pod = await client.resource(pods).create({ object: podWithScratch('web') });
  const claim = await until('the claim is there', () => found(storage.getClaim('web-scratch')));
  t.like(claim.metadata, { labels: { tier: 'scratch' }, annotations: { note: 'mine' } });
  t.deepEqual(claim.metadata?.ownerReferences, [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      name: 'web',
      uid: pod.metadata?.uid ?? '',
      controller: true,
      blockOwnerDeletion: true,
    },
  ]);
  t.like(claim.spec, {
    storageClassName: 'fast',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  });
  await storage.patchClaim('web-scratch', { metadata: { finalizers: null } });
  await storage.deleteClaim('web-scratch');
  const again = await until('the claim is there again', () => found(storage.getClaim('web-scratch')));
  t.not(again.metadata?.uid, claim.metadata?.uid);
});

test('a claim of that name that belongs to nobody is left alone, and told of', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClaim('taken-scratch');
  await until('the claim is there', () => found(storage.getClaim('taken-scratch')));
  const pod = await client.resource(pods).create({ object: podWithScratch('taken') });
  const event = await eventAbout(client, pod, {
    reason: 'FailedBinding',
    message:
      'ephemeral volume scratch: PVC default/taken-scratch was not created for pod default/taken (pod is not owner)',
  });
  t.is(event.type, 'Warning');
  t.is(event.source?.component, 'ephemeral_volume');
  t.is((await storage.getClaim('taken-scratch')).metadata?.ownerReferences, undefined);
});
