import { quantityOf, quantityValue } from '../../../api/quantity.ts';
import { preResizeCapacity } from '../../../api/storage/annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';
import { keyOf } from '../../../client/objects.ts';
import { persistentVolumes } from '../../../client/resources.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { errorInWords, hasCode, isFinalError } from '../../error.ts';
import { translateInTreePv } from '../../translation/index.ts';
import { volumeCapability } from '../access-mode.ts';
import { credentialsOf } from '../secrets.ts';
import { markFailed, markFinished, markInProgress, markNodePending } from './claim-status.ts';
import type { InUse } from './in-use.ts';
import { tell } from './settings.ts';
import type { Resizer } from './settings.ts';
import { allocatedSize, targetSize } from './target-size.ts';

/** What is known of claims beyond what the API server says; keyed by namespace and name. */
export interface Growth {
  finalErrors: Set<string>;
  /** Refused for good: the size, and until when it isn't asked for again. */
  infeasible: Map<string, { size: string; untilMs: number }>;
  inUse: InUse;
}

export interface Claimed {
  claim: PersistentVolumeClaim;
  volume: PersistentVolume;
}

/**
 * Has the driver grow a claim's volume and writes down each step, so that it can be taken up from there (KEP-1790). Rejects with the
 * error that is told by an event; answers when to come again if it isn't time yet.
 */
export async function expand(
  resizer: Resizer,
  growth: Growth,
  { claim, volume }: Claimed,
): Promise<{ retryAfterMs: number } | void> {
  const key = keyOf(claim);
  const { controller, node } = await resizer.driver.capabilities();
  const hasControllerExpansion = controller.has('EXPAND_VOLUME');
  if (!hasControllerExpansion && !node.has('EXPAND_VOLUME')) return;
  const hasFailedFinally = growth.finalErrors.has(key);
  const size = targetSize({ claim, volume, hasFailedFinally, hasControllerExpansion });
  if (size === undefined) return;
  const waitMs = infeasibleForMs(resizer, growth, { key, size });
  if (waitMs > 0) return { retryAfterMs: waitMs };

  const begun = allocatedSize(claim);
  const isNew = begun === undefined || quantityValue(begun) !== quantityValue(size);
  const marked = await markInProgress(resizer, claim, { size, isNew });
  if (growth.inUse.isBlocked(claim)) throw refuseInUse(resizer, marked);
  const message = `External resizer is resizing volume ${volume.metadata?.name}`;
  tell(resizer, marked, { reason: 'Resizing', message });
  growth.inUse.forget(key);

  const answer = hasControllerExpansion
    ? await callDriver(resizer, growth, { claim: marked, volume, size })
    : { bytes: quantityValue(size), nodeExpansionRequired: true };
  await failpoint('csi.resizer.after-expand');
  growth.finalErrors.delete(key);
  growth.infeasible.delete(key);
  const grown = quantityOf(answer.bytes, 'BinarySI');
  await writeCapacity(resizer, { claim: marked, volume }, { size: grown, ...answer });
  if (answer.nodeExpansionRequired) await markNodePending(resizer, marked);
  else await markFinished(resizer, marked, grown);
}

function infeasibleForMs(
  { context: { clock } }: Resizer,
  { infeasible }: Growth,
  { key, size }: { key: string; size: string },
): number {
  const known = infeasible.get(key);
  if (known === undefined) return 0;
  const waitMs = known.untilMs - clock.now();
  if (waitMs > 0 && known.size === size) return waitMs;
  infeasible.delete(key);
  return 0;
}

function refuseInUse(resizer: Resizer, claim: PersistentVolumeClaim): Error {
  const message = `Unable to expand ${keyOf(claim)} because CSI driver ${resizer.driver.name} only supports offline expansion and volume is currently in-use`;
  tell(resizer, claim, { type: 'Warning', reason: 'VolumeResizeFailed', message });
  return new Error(message);
}

async function callDriver(
  resizer: Resizer,
  growth: Growth,
  { claim, volume, size }: Claimed & { size: string },
): Promise<{ bytes: number; nodeExpansionRequired: boolean }> {
  try {
    const { capacityBytes, nodeExpansionRequired } = await resizer.driver.controller.controllerExpandVolume(
      await expandRequest(resizer, volume, size),
      { signal: resizer.signal },
    );
    return { bytes: capacityBytes, nodeExpansionRequired };
  } catch (error) {
    if (resizer.signal.aborted) throw error;
    await afterFailure(resizer, growth, { claim, size, error });
    const name = volume.metadata?.name;
    const message = `resize volume "${name}" by resizer "${resizer.driver.name}" failed: ${errorInWords(error)}`;
    tell(resizer, claim, { type: 'Warning', reason: 'VolumeResizeFailed', message });
    throw new Error(message, { cause: error });
  }
}

async function expandRequest({ driver, context }: Resizer, volume: PersistentVolume, size: string) {
  const { spec } = volume.spec?.csi === undefined ? translateInTreePv(volume) : volume;
  const { csi, accessModes = [], volumeMode, mountOptions } = spec ?? {};
  if (csi === undefined) throw new Error(`volume ${volume.metadata?.name} is not migrated to CSI`);
  const { name = '', namespace = '' } = csi.controllerExpandSecretRef ?? {};
  const ref = csi.controllerExpandSecretRef === undefined ? undefined : { name, namespace };
  const { controller } = await driver.capabilities();
  return {
    volumeId: csi.volumeHandle,
    capacityRange: { requiredBytes: quantityValue(size) },
    secrets: await credentialsOf(context.client, ref),
    volumeCapability: volumeCapability({
      accessModes,
      volumeMode,
      fsType: csi.fsType ?? '',
      mountOptions,
      singleNodeMultiWriter: controller.has('SINGLE_NODE_MULTI_WRITER'),
    }),
  };
}

async function afterFailure(
  resizer: Resizer,
  growth: Growth,
  { claim, size, error }: { claim: PersistentVolumeClaim; size: string; error: unknown },
): Promise<void> {
  const key = keyOf(claim);
  if (hasCode(error, 'FAILED_PRECONDITION')) await growth.inUse.refused(claim);
  if (!isFinalError(error)) {
    growth.finalErrors.delete(key);
    growth.infeasible.delete(key);
    return;
  }
  growth.finalErrors.add(key);
  const isInfeasible = hasCode(error, 'INVALID_ARGUMENT', 'OUT_OF_RANGE', 'NOT_FOUND');
  const untilMs = resizer.context.clock.now() + resizer.slowRetryMs;
  if (isInfeasible) growth.infeasible.set(key, { size, untilMs });
  else growth.infeasible.delete(key);
  await markFailed(resizer, claim, { error, isInfeasible });
}

/**
 * The volume's size, before the claim's: the binder would give the claim the volume's. Until the node has done its part, an
 * annotation tells the binder the size that the claim still has.
 */
async function writeCapacity(
  { context: { client } }: Resizer,
  { claim, volume }: Claimed,
  { size, nodeExpansionRequired }: { size: string; nodeExpansionRequired: boolean },
): Promise<void> {
  const { name = '', uid, annotations = {} } = volume.metadata ?? {};
  const isMarked = annotations[preResizeCapacity] !== undefined;
  const before = claim.status?.capacity?.['storage'] ?? '0';
  const marks = nodeExpansionRequired && !isMarked ? { annotations: { [preResizeCapacity]: before } } : {};
  const patch = { metadata: { uid, ...marks }, spec: { capacity: { storage: size } } };
  await client.resource(persistentVolumes).patch({ name, type: 'merge', patch });
}
