import { compareQuantities, quantityValue } from '../../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../../api/types.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import { CsiError, errorInWords, hasCode } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import type { SetUpOptions } from '../plugin.ts';
import { asVolumeError } from '../volume-error.ts';
import { capabilityOf } from './capability.ts';
import { claimResizeStatus } from './claim-resize-status.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { deviceOf } from './device-of.ts';
import { isFinalError } from './final-error.ts';
import { blockPaths, globalMount, publishTarget } from './paths.ts';
import { readSecret } from './secrets.ts';
import { driverFor } from './driver-for.ts';

/**
 * The node's part of making a volume larger (upstream: operation_generator.go, node_expander.go):
 *
 *     claim asks for more ─▶ resizer: ControllerExpandVolume, PersistentVolume.capacity, NodeResizePending
 *                                 └─▶ here: NodeResizeInProgress ─▶ NodeExpandVolume ─▶ claim.status.capacity
 */
export const expandInUse = async (context: CsiContext, options: SetUpOptions): Promise<void> => {
  const { spec } = options;
  const { driver, volumeHandle: handle } = csiSourceOf(spec);
  const blockName = spec.mode === 'Block' ? spec.name : undefined;
  try {
    await deviceOf(context, { driver, handle, blockName }).inTurn(() =>
      expand(context, options, { online: true }),
    );
  } catch (error) {
    const step = 'NodeExpandVolume.NodeExpandVolume failed';
    throw asVolumeError(error, { step, volumeName: spec.name, reason: 'VolumeResizeFailed' });
  }
};

/** The same for a volume that has just been mounted, and whose turn it is. Rejects with VolumeError. */
export const expandAfterMount = async (context: CsiContext, options: SetUpOptions): Promise<void> => {
  try {
    await expand(context, options, { online: false });
  } catch (error) {
    const isBlock = options.spec.mode === 'Block';
    const step = isBlock
      ? 'MapVolume.MarkVolumeAsMounted failed while expanding volume'
      : 'MountVolume.Setup failed while expanding volume';
    const reason = isBlock ? 'FailedMapVolume' : 'FailedMount';
    throw asVolumeError(error, { step, volumeName: options.spec.name, reason });
  }
};

const expand = async (
  context: CsiContext,
  options: SetUpOptions,
  { online }: { online: boolean },
): Promise<void> => {
  const { spec } = options;
  const claim = await currentClaim(context, options);
  const capacity = spec.persistentVolume?.spec?.capacity?.['storage'];
  if (claim === undefined || capacity === undefined) return;
  const isDone = compareQuantities(claim.status?.capacity?.['storage'] ?? '0', capacity) >= 0;
  if (isDone && !online) return;
  if (spec.readOnly) return tellReadOnly(context, options, claim);
  await expandClaim(context, options, { claim, capacity });
};

const currentClaim = async (
  { client }: CsiContext,
  { spec }: SetUpOptions,
): Promise<PersistentVolumeClaim | undefined> => {
  const { name, namespace } = spec.claim?.metadata ?? {};
  if (name === undefined) return undefined;
  try {
    return await client.resource(persistentVolumeClaims).get({ name, namespace });
  } catch (error) {
    throw new Error(`mountVolume.NodeExpandVolume get PVC failed : ${errorInWords(error)}`, { cause: error });
  }
};

interface Expansion {
  claim: PersistentVolumeClaim;
  /** What the PersistentVolume has. */
  capacity: string;
}

const expandClaim = async (
  context: CsiContext,
  options: SetUpOptions,
  { claim, capacity }: Expansion,
): Promise<void> => {
  const resizeStatus = claimResizeStatus(context);
  const state = claim.status?.allocatedResourceStatuses?.['storage'] ?? '';
  const allocated = claim.status?.allocatedResources?.['storage'];
  // A resizer from before KEP-1790 says neither; then the PersistentVolume's size is what counts.
  const isOld = state === '' && allocated === undefined;
  const size = allocated ?? capacity;
  const isUpToDate = compareQuantities(claim.status?.capacity?.['storage'] ?? '0', size) >= 0;
  const isPending = state === 'NodeResizePending' || state === 'NodeResizeInProgress';
  if (isUpToDate && state === '' ? !isSharedAndUnexpanded(claim) : !isPending && !isOld) return;
  const current = isUpToDate || isOld ? claim : await resizeStatus.inProgress(claim);
  try {
    await callExpand(context, options, size);
  } catch (error) {
    return expansionFailed(context, { claim: current, error, isOld, isUpToDate });
  }
  tellExpanded(context, options, current);
  if (isUpToDate) return;
  await resizeStatus.finished(current, size).catch((error: unknown) => {
    throw new Error(`mountVolume.NodeExpandVolume update pvc status failed: ${errorInWords(error)}`, {
      cause: error,
    });
  });
};

/** Other nodes may have done their part for a volume that all of them mount; this one has to do its own. */
const isSharedAndUnexpanded = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  spec?.accessModes?.includes('ReadWriteMany') === true &&
  metadata?.annotations?.['volume.kubernetes.io/node-expansion-not-required'] === undefined;

/** The driver has no NodeExpandVolume. */
class NotSupportedError extends Error {
  override readonly name = 'NotSupportedError';
}

const callExpand = async (context: CsiContext, options: SetUpOptions, size: string): Promise<void> => {
  const { client, rootDir, drivers } = context;
  const { spec, directory, podUid } = options;
  const { driver: name, volumeHandle, fsType = '', nodeExpandSecretRef } = csiSourceOf(spec);
  const driver = driverFor(drivers, name, 'Expander.NodeExpand failed to get CSI client');
  if (!(await driver.supports('EXPAND_VOLUME'))) {
    throw new NotSupportedError(`NodeExpand is not supported by the CSI driver ${name}`);
  }
  const isBlock = spec.mode === 'Block';
  const staged = await driver.supports('STAGE_UNSTAGE_VOLUME');
  const { staging, publishDirectory } = blockPaths(rootDir, spec.name);
  const mountFlags = spec.persistentVolume?.spec?.mountOptions ?? [];
  const request = {
    volumeId: volumeHandle,
    volumePath: isBlock ? `${publishDirectory}/${podUid}` : publishTarget(directory),
    stagingTargetPath: staged ? (isBlock ? staging : globalMount(rootDir, name, volumeHandle)) : '',
    capacityRange: { requiredBytes: quantityValue(size) },
    volumeCapability: await capabilityOf(driver, spec, isBlock ? {} : { mount: { fsType, mountFlags } }),
    secrets: await readSecret(client, nodeExpandSecretRef, 'NodeExpandSecretRef'),
  };
  await failpoint('kubelet.expand.before-call');
  await driver.node.nodeExpandVolume(request, { timeoutMs: csiTimeoutMs });
};

interface FailedExpansion {
  claim: PersistentVolumeClaim;
  error: unknown;
  isOld: boolean;
  isUpToDate: boolean;
}

const expansionFailed = async (
  context: CsiContext,
  { claim, error, isOld, isUpToDate }: FailedExpansion,
): Promise<void> => {
  if (error instanceof NotSupportedError && (isUpToDate || isOld)) return;
  const why = new Error(`Expander.NodeExpand failed to expand the volume : ${errorInWords(error)}`, {
    cause: error,
  });
  const shown = error instanceof CsiError ? why : error;
  const infeasible = hasCode(error, 'INVALID_ARGUMENT', 'OUT_OF_RANGE', 'NOT_FOUND');
  if ((isFinalError(error) || error instanceof NotSupportedError) && !isOld) {
    await claimResizeStatus(context).failed(claim, shown, { infeasible });
  }
  // The driver can't do it while the volume is in use: that is no reason to keep the Pod from it.
  if (hasCode(error, 'FAILED_PRECONDITION')) return;
  throw shown;
};

const tellExpanded = (
  { events }: CsiContext,
  { pod, spec }: SetUpOptions,
  claim: PersistentVolumeClaim,
): void => {
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${spec.name}" ${pod.spec?.nodeName ?? ''}`;
  const event = { type: 'Normal', reason: 'FileSystemResizeSuccessful', message } as const;
  events.pod(pod, event);
  events.claim(claim, event);
};

const tellReadOnly = (
  { events }: CsiContext,
  { pod, spec }: SetUpOptions,
  claim: PersistentVolumeClaim,
): void => {
  const message = `MountVolume.NodeExpandVolume failed for volume "${spec.name}" requested read-only file system`;
  const event = { type: 'Warning', reason: 'FileSystemResizeFailed', message } as const;
  events.pod(pod, event);
  events.claim(claim, event);
};
