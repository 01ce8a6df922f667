import type { PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Reconciler } from '../../../client/controller.ts';
import type { Informer } from '../../../client/informer.ts';
import { keyOf } from '../../../client/objects.ts';
import { volumeAttributesClasses } from '../../../client/resources.ts';
import { CsiError, errorInWords, isFinalError } from '../../error.ts';
import { sidecarBackOff } from '../back-off.ts';
import { modifySecret } from '../provisioner/persistent-volume.ts';
import { credentialsOf } from '../secrets.ts';
import type { Claimed } from './expand.ts';
import {
  markModified,
  markModifyFailed,
  markModifying,
  markPending,
  markRolledBack,
} from './modify-status.ts';
import { tell } from './settings.ts';
import type { Resizer, ResizerOptions } from './settings.ts';

interface Modifier extends Resizer {
  classes: Informer<VolumeAttributesClass>;
  extraModifyMetadata: boolean;
  /** Claims whose last attempt the driver has ended: only then another class may be gone for. */
  settled: Set<string>;
  infeasible: Map<string, { target: string; untilMs: number }>;
}

const byClass = 'volumeAttributesClassName';

/**
 * Brings volumes to the attributes of their claims' VolumeAttributesClass (KEP-3751). An attempt whose end isn't known goes on to its
 * own target first, also after a restart.
 */
export function reconcileAttributes(resizer: Resizer, options: ResizerOptions): Reconciler {
  const { driver, context, claims } = resizer;
  const modifier: Modifier = {
    ...resizer,
    classes: context.informers.informer(volumeAttributesClasses),
    extraModifyMetadata: options.extraModifyMetadata ?? false,
    settled: new Set(),
    infeasible: new Map(),
  };
  claims.addIndexers({ [byClass]: ({ spec }) => [spec?.volumeAttributesClassName ?? []].flat() });
  const reconciler = createReconciler({
    name: `csi-resizer ${driver.name} attributes`,
    context,
    concurrency: options.workerThreads ?? 10,
    rateLimiter: sidecarBackOff(options),
    reconcile: (key) => reconcileClaim(modifier, key),
  });
  const unfollow = claims.addHandler({
    add: (claim) => reconciler.queue.add(keyOf(claim)),
    update: (claim, previous) => {
      if (isNews(claim, previous)) reconciler.queue.add(keyOf(claim));
    },
    delete: (claim) => {
      modifier.settled.delete(keyOf(claim));
      modifier.infeasible.delete(keyOf(claim));
    },
  });
  reconciler.follow(modifier.classes, ({ metadata }) =>
    claims.lister.byIndex(byClass, metadata?.name ?? '').map(keyOf),
  );
  return {
    ...reconciler,
    async stop() {
      unfollow();
      await reconciler.stop();
    },
  };
}

/** Our own reports of a failure are none: to act upon them would be to ignore the back-off. */
const isNews = (claim: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean =>
  claim.spec?.volumeAttributesClassName !== previous.spec?.volumeAttributesClassName ||
  claim.status?.phase !== previous.status?.phase ||
  (claim.status?.modifyVolumeStatus === undefined && previous.status?.modifyVolumeStatus !== undefined);

async function reconcileClaim(modifier: Modifier, key: string): Promise<{ retryAfterMs: number } | void> {
  const claim = modifier.claims.lister.getByKey(key);
  const volume = modifier.volumes.lister.getByKey(claim?.spec?.volumeName ?? '');
  if (claim?.status?.phase !== 'Bound' || volume?.spec?.csi?.driver !== modifier.driver.name) return;
  const wanted = claim.spec?.volumeAttributesClassName ?? '';
  const state = claim.status.modifyVolumeStatus;
  if (state === undefined && wanted === (claim.status.currentVolumeAttributesClassName ?? '')) return;
  const { controller } = await modifier.driver.capabilities();
  if (!controller.has('MODIFY_VOLUME')) return;
  const waitMs = infeasibleForMs(modifier, { key, target: wanted });
  if (waitMs > 0) return { retryAfterMs: waitMs };

  const isInProgress = state?.status === 'InProgress';
  if (wanted === '' && !isInProgress) return rollBack(modifier, claim);
  if (isInProgress && (wanted === '' || !modifier.settled.has(key))) {
    const found = findClass(modifier, claim, state.targetVolumeAttributesClassName ?? '');
    if (found === undefined)
      throw new Error(`VAC "${state.targetVolumeAttributesClassName}" does not exist.`);
    return modify(modifier, { claim, volume }, found);
  }
  const found = findClass(modifier, claim, wanted);
  if (found === undefined) {
    await markPending(modifier, claim);
    return;
  }
  const marked = await markModifying(modifier, claim, wanted);
  const message = `external resizer is modifying volume ${claim.metadata?.name} with vac ${wanted}`;
  tell(modifier, marked, { reason: 'VolumeModify', message });
  return modify(modifier, { claim: marked, volume }, found);
}

function infeasibleForMs(
  { infeasible, context: { clock } }: Modifier,
  { key, target }: { key: string; target: string },
): number {
  const known = infeasible.get(key);
  if (known === undefined) return 0;
  const waitMs = known.untilMs - clock.now();
  if (waitMs > 0 && known.target === target) return waitMs;
  infeasible.delete(key);
  return 0;
}

async function rollBack(modifier: Modifier, claim: PersistentVolumeClaim): Promise<void> {
  if (claim.status?.conditions?.some(({ type }) => type === 'ModifyingVolume') !== true) return;
  tell(modifier, claim, { reason: 'VolumeModifyCanceled', message: 'Cancelled modify.' });
  await markRolledBack(modifier, claim);
}

function findClass(
  modifier: Modifier,
  claim: PersistentVolumeClaim,
  name: string,
): VolumeAttributesClass | undefined {
  const found = modifier.classes.lister.getByKey(name);
  const message = `VAC "${name}" does not exist.`;
  if (found === undefined) tell(modifier, claim, { type: 'Warning', reason: 'VolumeModifyFailed', message });
  return found;
}

async function modify(
  modifier: Modifier,
  { claim, volume }: Claimed,
  target: VolumeAttributesClass,
): Promise<void> {
  const { driver, signal } = modifier;
  const targetName = target.metadata?.name;
  try {
    await driver.controller.controllerModifyVolume(await modifyRequest(modifier, { claim, volume }, target), {
      signal,
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof CsiError)) throw error;
    return afterFailure(modifier, claim, error);
  }
  await markModified(modifier, { claim, volume });
  modifier.settled.delete(keyOf(claim));
  const message = `external resizer modified volume ${claim.metadata?.name} with vac ${targetName} successfully`;
  tell(modifier, claim, { reason: 'VolumeModifySuccessful', message });
}

async function modifyRequest(
  { context: { client }, extraModifyMetadata }: Modifier,
  { claim, volume }: Claimed,
  { parameters = {} }: VolumeAttributesClass,
) {
  const names = {
    'csi.storage.k8s.io/pvc/name': claim.metadata?.name ?? '',
    'csi.storage.k8s.io/pvc/namespace': claim.metadata?.namespace ?? '',
    'csi.storage.k8s.io/pv/name': volume.metadata?.name ?? '',
  };
  return {
    volumeId: volume.spec?.csi?.volumeHandle ?? '',
    secrets: await credentialsOf(client, secretOf(volume)),
    mutableParameters: { ...parameters, ...(extraModifyMetadata ? names : {}) },
  };
}

/** The class's secret for changes, else the one for growth. */
function secretOf({ metadata, spec }: PersistentVolume) {
  const { [modifySecret.name]: name = '', [modifySecret.namespace]: namespace = '' } =
    metadata?.annotations ?? {};
  if (name !== '' && namespace !== '') return { name, namespace };
  const ref = spec?.csi?.controllerExpandSecretRef;
  return ref === undefined ? undefined : { name: ref.name ?? '', namespace: ref.namespace ?? '' };
}

async function afterFailure(
  modifier: Modifier,
  claim: PersistentVolumeClaim,
  error: CsiError,
): Promise<never> {
  const key = keyOf(claim);
  const target = claim.status?.modifyVolumeStatus?.targetVolumeAttributesClassName ?? '';
  if (isFinalError(error)) modifier.settled.add(key);
  else modifier.settled.delete(key);
  await markModifyFailed(modifier, claim, error);
  const goesOn = isFinalError(error) ? '' : `. Still modifying to VAC ${target}`;
  const message = `${errorInWords(error)}${goesOn}`;
  tell(modifier, claim, { type: 'Warning', reason: 'VolumeModifyFailed', message });
  if (error.codeName === 'INVALID_ARGUMENT') {
    const { slowRetryMs, context } = modifier;
    modifier.infeasible.set(key, { target, untilMs: context.clock.now() + slowRetryMs });
  }
  throw error;
}
