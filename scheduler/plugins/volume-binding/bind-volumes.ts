import { selectedNode } from '../../../api/storage/annotations.ts';
import { isVolumeBoundToClaim } from '../../../api/storage/bind-volume.ts';
import { checkNodeAffinity } from '../../../api/storage/match-volume.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/types.ts';
import { isConflict } from '../../../client/errors.ts';
import { keyOf } from '../../../client/objects.ts';
import type { ApiObject } from '../../../client/objects.ts';
import type { ResourceClient } from '../../../client/resource-client.ts';
import {
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
} from '../../../client/resources.ts';
import type { SchedulerHandle } from '../../framework/handle.ts';
import { podSelection } from '../../framework/pod-selection.ts';
import type { BindingWaits } from './binding-waits.ts';
import type { PodVolumes, VolumeBinding } from './find-volumes.ts';
import { asSeenByNode } from './migration.ts';
import { isFullyBound } from './pod-claims.ts';

export interface BindOptions {
  pod: Pod;
  nodeName: string;
  volumes: PodVolumes;
  handle: SchedulerHandle;
  waits: BindingWaits;
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Tells the binder and the provisioners what was decided (claimRef of the volumes, selected-node of the claims),
 * and waits until all claims are bound. Rejects when that can't come true any more: the pod must then be scheduled
 * anew. What was written stays; it holds for the next try too, or its reader takes it back.
 */
export const bindPodVolumes = async (options: BindOptions): Promise<void> => {
  const { pod, nodeName, volumes, waits, timeoutMs, signal } = options;
  const written = await writeDecisions(options);
  const claims = [...volumes.bindings.map(({ claim }) => claim), ...volumes.provisions];
  try {
    const check = () => areBound(written, options);
    const claimKeys = claims.map(keyOf);
    await waits.until({ podKey: keyOf(pod), nodeName, claimKeys, check, timeoutMs, signal });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`binding volumes: ${message}`, { cause: error });
  }
};

/** All writes have ended when it answers or rejects: none may come after the next try's. */
const writeDecisions = async ({ volumes, handle, signal }: BindOptions): Promise<PodVolumes> => {
  const bindings = await allEnded(volumes.bindings.map((each) => reserveVolume(each, { handle, signal })));
  const provisions = await allEnded(volumes.provisions.map((each) => selectNode(each, { handle, signal })));
  return { bindings, provisions };
};

const allEnded = async <T>(writes: Promise<T>[]): Promise<T[]> => {
  await Promise.allSettled(writes);
  return Promise.all(writes);
};

type WriteOptions = Pick<BindOptions, 'handle' | 'signal'>;

const reserveVolume = async (
  { claim, volume }: VolumeBinding,
  { handle, signal }: WriteOptions,
): Promise<VolumeBinding> => {
  const resource = handle.client.resource(persistentVolumes);
  const decide = (present: PersistentVolume): PersistentVolume | undefined => {
    const { claimRef } = present.spec ?? {};
    const isFree = claimRef === undefined && present.metadata?.deletionTimestamp === undefined;
    if (!isFree && !isVolumeBoundToClaim(present, claim)) return undefined;
    const annotations = { ...volume.metadata?.annotations, ...present.metadata?.annotations };
    const { claimRef: decided } = volume.spec ?? {};
    return {
      ...present,
      metadata: { ...present.metadata, annotations },
      spec: { ...present.spec, ...(decided === undefined ? {} : { claimRef: decided }) },
    };
  };
  return { claim, volume: await writeDecision({ resource, object: volume, decide, signal }) };
};

const selectNode = (
  claim: PersistentVolumeClaim,
  { handle, signal }: WriteOptions,
): Promise<PersistentVolumeClaim> => {
  const resource = handle.client.resource(persistentVolumeClaims);
  const nodeName = claim.metadata?.annotations?.[selectedNode] ?? '';
  const decide = (present: PersistentVolumeClaim): PersistentVolumeClaim | undefined => {
    const { annotations = {}, deletionTimestamp } = present.metadata ?? {};
    const other = annotations[selectedNode];
    if (deletionTimestamp !== undefined || (present.spec?.volumeName ?? '') !== '') return undefined;
    if (other !== undefined && other !== nodeName) return undefined;
    return {
      ...present,
      metadata: { ...present.metadata, annotations: { ...annotations, [selectedNode]: nodeName } },
    };
  };
  return writeDecision({ resource, object: claim, decide, signal });
};

const maxTries = 5;

/**
 * Writes a decision that may have been made on an older version: the binder writes phases meanwhile, and a
 * conflict that doesn't touch the decision is no reason to schedule the pod anew.
 */
const writeDecision = async <T extends ApiObject>({
  resource,
  object,
  decide,
  signal,
}: {
  resource: ResourceClient<T>;
  object: T;
  /** The newer object with the decision, or undefined when it contradicts. */
  decide: (present: T) => T | undefined;
  signal: AbortSignal;
}): Promise<T> => {
  let next = object;
  for (let tries = 1; ; tries += 1) {
    try {
      return await resource.update({ object: next, signal });
    } catch (error) {
      if (!isConflict(error) || tries === maxTries) throw error;
      const { name = '', namespace, uid } = object.metadata ?? {};
      const present = await resource.get({ name, namespace, signal });
      const decided = present.metadata?.uid === uid ? decide(present) : undefined;
      if (decided === undefined) throw error;
      next = decided;
    }
  }
};

/** Looks at what the informers know, not at what is assumed: only what others can see counts. */
const areBound = (written: PodVolumes, { pod, nodeName, handle }: BindOptions): boolean => {
  const { informers } = handle;
  const node = informers.informer(nodes).lister.getByKey(nodeName);
  if (node === undefined) throw new Error(`failed to get node ${JSON.stringify(nodeName)}`);
  if (informers.informer(pods, podSelection).lister.getByKey(keyOf(pod)) === undefined) {
    const name = JSON.stringify(pod.metadata?.name ?? '');
    throw new Error(`pod does not exist any more: pod ${name} not found`);
  }
  const labels = node.metadata?.labels;
  const csiNode = informers.informer(csiNodes).lister.getByKey(nodeName);
  const isReached = (volume: PersistentVolume): true => {
    if (checkNodeAffinity(asSeenByNode(volume, csiNode), labels)) return true;
    const [volumeName, quotedNode] = [volume.metadata?.name ?? '', nodeName].map((text) =>
      JSON.stringify(text),
    );
    throw new Error(
      `pv ${volumeName ?? ''} node affinity doesn't match node ${quotedNode ?? ''}: no matching NodeSelectorTerms`,
    );
  };
  return (
    written.bindings.every((binding) => isVolumeGiven(binding, { handle, isReached })) &&
    written.provisions.every((claim) => isProvisioned(claim, { handle, nodeName, isReached }))
  );
};

type LookOptions = Pick<BindOptions, 'handle'> & { isReached: (volume: PersistentVolume) => boolean };

const isVolumeGiven = (
  { claim, volume }: VolumeBinding,
  { handle: { informers }, isReached }: LookOptions,
): boolean => {
  const presentVolume = informers.informer(persistentVolumes).lister.getByKey(keyOf(volume));
  const presentClaim = informers.informer(persistentVolumeClaims).lister.getByKey(keyOf(claim));
  if (presentVolume === undefined) throw notFound('persistentvolume', volume);
  if (presentClaim === undefined) throw notFound('persistentvolumeclaim', claim);
  if (isOlder(presentVolume, volume)) return false;
  isReached(presentVolume);
  if ((presentVolume.spec?.claimRef?.uid ?? '') === '') {
    throw new Error(`ClaimRef got reset for pv ${JSON.stringify(volume.metadata?.name ?? '')}`);
  }
  return isFullyBound(presentClaim);
};

const isProvisioned = (
  claim: PersistentVolumeClaim,
  { handle: { informers }, nodeName, isReached }: LookOptions & { nodeName: string },
): boolean => {
  const present = informers.informer(persistentVolumeClaims).lister.getByKey(keyOf(claim));
  if (present === undefined) throw notFound('persistentvolumeclaim', claim);
  if (isOlder(present, claim)) return false;
  // A provisioner that can't make the volume there takes the annotation away.
  if (present.metadata?.annotations?.[selectedNode] !== nodeName) {
    throw new Error(`provisioning failed for PVC ${JSON.stringify(claim.metadata?.name ?? '')}`);
  }
  const volumeName = present.spec?.volumeName ?? '';
  if (volumeName === '') return false;
  const volume = informers.informer(persistentVolumes).lister.getByKey(volumeName);
  // The claim's watch may be ahead of the volume's.
  return volume !== undefined && isReached(volume) && isFullyBound(present);
};

const notFound = (kind: string, { metadata }: ApiObject): Error =>
  new Error(`failed to check binding: ${kind} ${JSON.stringify(metadata?.name ?? '')} not found`);

const isOlder = (present: ApiObject, written: ApiObject): boolean => {
  const [presentVersion = 0n, writtenVersion = 0n] = [present, written].map(({ metadata }) =>
    BigInt(metadata?.resourceVersion ?? 0),
  );
  return presentVersion < writtenVersion;
};
