import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import { isConflict, isNotFound } from '../../client/errors.ts';
import { createInformerFactory } from '../../client/informer-factory.ts';
import { keyOf } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import { nodes, persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts';
import { zoneLabel } from './storage-fixtures.ts';

export interface FakeStorage {
  stop(): Promise<void>;
  /** Claims whose node was chosen, in that order. */
  readonly asked: string[];
}

/**
 * A binder and a provisioner of a few lines: a claim with a selected node gets a new volume in that node's zone, a
 * volume that is reserved for a claim is bound to it. `provision` may say that it can't, by answering false.
 */
export const startFakeStorage = async (
  client: Client,
  { provision = async () => true }: { provision?: (claim: PersistentVolumeClaim) => Promise<boolean> } = {},
): Promise<FakeStorage> => {
  const informers = createInformerFactory({ client });
  const nodeLister = informers.informer(nodes).lister;
  const claimInformer = informers.informer(persistentVolumeClaims);
  const asked: string[] = [];
  const seen = new Set<string>();
  const work = new Set<Promise<void>>();
  const begin = (task: () => Promise<void>) => {
    const running = retry(task).finally(() => work.delete(running));
    work.add(running);
  };

  const onClaim = (claim: PersistentVolumeClaim) => {
    const nodeName = claim.metadata?.annotations?.['volume.kubernetes.io/selected-node'];
    const key = `${claim.metadata?.uid ?? ''} ${nodeName ?? ''}`;
    if (nodeName === undefined || (claim.spec?.volumeName ?? '') !== '' || seen.has(key)) return;
    seen.add(key);
    asked.push(keyOf(claim));
    begin(async () => {
      if (await provision(claim)) return makeVolume(client, claim, nodeLister.getByKey(nodeName));
      seen.delete(key);
      const metadata = { annotations: { 'volume.kubernetes.io/selected-node': null } };
      await client
        .resource(persistentVolumeClaims)
        .patch({ ...nameOf(claim), type: 'merge', patch: { metadata } });
    });
  };
  const onVolume = (volume: PersistentVolume) => {
    const { claimRef } = volume.spec ?? {};
    if ((claimRef?.uid ?? '') === '') return;
    const claim = claimInformer.lister.getByKey(`${claimRef?.namespace ?? ''}/${claimRef?.name ?? ''}`);
    if (claim === undefined || (claim.spec?.volumeName ?? '') !== '' || seen.has(claimRef?.uid ?? '')) return;
    seen.add(claimRef?.uid ?? '');
    begin(() => bind(client, claim, volume.metadata?.name ?? ''));
  };
  claimInformer.addHandler({ add: onClaim, update: onClaim });
  informers.informer(persistentVolumes).addHandler({ add: onVolume, update: onVolume });
  informers.start();
  await informers.waitForSync();
  return {
    asked,
    async stop() {
      await Promise.all(work);
      await informers.stop();
    },
  };
};

const nameOf = ({ metadata }: PersistentVolumeClaim) => ({
  name: metadata?.name ?? '',
  namespace: metadata?.namespace,
});

const makeVolume = async (
  client: Client,
  claim: PersistentVolumeClaim,
  node: Node | undefined,
): Promise<void> => {
  const zone = node?.metadata?.labels?.[zoneLabel];
  const { name = '', namespace = '', uid = '' } = claim.metadata ?? {};
  const matchExpressions = [{ key: zoneLabel, operator: 'In', values: [zone ?? ''] }];
  const object: PersistentVolume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pvc-${uid}` },
    spec: {
      accessModes: claim.spec?.accessModes ?? [],
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '1Gi' },
      storageClassName: claim.spec?.storageClassName ?? '',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
      csi: { driver: 'driver.example', volumeHandle: uid },
      ...(zone === undefined
        ? {}
        : { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } }),
    },
  };
  await client.resource(persistentVolumes).create({ object });
};

const bind = async (client: Client, claim: PersistentVolumeClaim, volumeName: string): Promise<void> => {
  const metadata = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } };
  const claims = client.resource(persistentVolumeClaims);
  const patch = { metadata, spec: { volumeName } };
  const bound = await claims.patch({ ...nameOf(claim), type: 'merge', patch });
  await claims.updateStatus({ object: { ...bound, status: { phase: 'Bound' } } });
};

/** Others write the same objects. */
const retry = async (task: () => Promise<void>): Promise<void> => {
  try {
    await task();
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isConflict(error)) throw error;
    await retry(task);
  }
};
