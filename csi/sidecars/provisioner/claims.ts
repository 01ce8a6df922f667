import {
  betaStorageProvisioner,
  migratedTo,
  selectedNode as selectedNodeAnnotation,
  storageProvisioner,
} from '../../../api/storage/annotations.ts';
import { classOfClaim } from '../../../api/storage/storage-class.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Reconciler } from '../../../client/controller.ts';
import { keyOf } from '../../../client/objects.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import { inTreeNameFor } from '../../translation/index.ts';
import { sidecarBackOff } from '../back-off.ts';
import { createVolume } from './create-volume.ts';
import { watchSnapshots } from './snapshot-watch.ts';
import type { SnapshotWatch } from './snapshot-watch.ts';
import { bySource, byUid, sourceKey } from './settings.ts';
import type { Provisioner } from './settings.ts';
import { IgnoredError, isInfeasible, ProvisionError } from './states.ts';
import { volumeName } from './volume-request.ts';

/** What is known of claims beyond what the API server says; keyed by uid. */
interface Progress {
  /** The driver may still be at work: kept although the claim may be deleted. */
  inBackground: Map<string, PersistentVolumeClaim>;
  /** The driver refused the request as one that can't work: not before this time, unless the class is another one. */
  infeasible: Map<string, { untilMs: number; classUid: string | undefined }>;
  /** Made, but perhaps not seen yet: until this time the PersistentVolume may be on its way to us. */
  made: Map<string, number>;
  /** Failed before the driver was asked: something else in the cluster must change first. */
  waiting: Set<string>;
  /** Tells when the snapshot that a claim is to be restored from changes. */
  snapshots: SnapshotWatch;
}

/**
 * Makes the volumes of claims that name our driver: at once, or when the scheduler has selected a node.
 *
 *     asked for ──CreateVolume──▶ volume made ──PersistentVolume written──▶ done
 *         │  ▲                                     (the PV controller binds)
 *         │  └── failed, in the background or without a driver: again after a while
 *         └── another node may do better: selected-node removed, the scheduler chooses again
 */
export function reconcileClaims(provisioner: Provisioner): Reconciler {
  const { context, claims, classes, csiNodes, nodes, retry, options } = provisioner;
  const progress: Progress = {
    inBackground: new Map(),
    infeasible: new Map(),
    made: new Map(),
    waiting: new Set(),
    snapshots: watchSnapshots(provisioner, (uid) => reconciler.queue.add(uid)),
  };
  const reconciler = createReconciler({
    name: `csi-provisioner ${provisioner.driver.name}`,
    context,
    concurrency: options.workerThreads,
    rateLimiter: sidecarBackOff(retry),
    reconcile: (uid) => reconcileClaim(provisioner, progress, uid),
  });
  // A claim that was deleted and made again under its name is another one, and the first may still be in the background.
  reconciler.follow(claims, (claim) => [
    claim.metadata?.uid ?? '',
    ...(claim.status?.phase === 'Bound' ? claimsFilledFrom(provisioner, claim) : []),
  ]);
  // What failed for want of one of these needn't wait for its back-off.
  reconciler.follow(classes, () => [...progress.waiting, ...progress.infeasible.keys()]);
  reconciler.follow(csiNodes, () => [...progress.waiting]);
  const unfollow = nodes.addHandler({
    add: () => requeueWaiting(reconciler, progress),
    update: (node, previous) => {
      if (JSON.stringify(node.metadata?.labels) !== JSON.stringify(previous.metadata?.labels))
        requeueWaiting(reconciler, progress);
    },
  });
  return {
    ...reconciler,
    async stop() {
      unfollow();
      await progress.snapshots.stop();
      await reconciler.stop();
    },
  };
}

const requeueWaiting = ({ queue }: Reconciler, { waiting }: Progress): void => {
  for (const uid of waiting) queue.add(uid);
};

const claimsFilledFrom = ({ claims }: Provisioner, source: PersistentVolumeClaim): string[] =>
  claims.lister
    .byIndex(bySource, sourceKey('PersistentVolumeClaim', keyOf(source)))
    .map(({ metadata }) => metadata?.uid ?? '');

async function reconcileClaim(
  provisioner: Provisioner,
  progress: Progress,
  uid: string,
): Promise<{ retryAfterMs: number } | void> {
  const claim = provisioner.claims.lister.byIndex(byUid, uid)[0] ?? progress.inBackground.get(uid);
  // Taken back when it gets so far that only the driver can fail it.
  progress.waiting.add(uid);
  const storageClass = claim === undefined ? undefined : wantedClass(provisioner, claim);
  if (claim === undefined || storageClass === undefined) return forget(provisioner, progress, uid);
  const { name, namespace } = claim.metadata ?? {};
  const waitMs =
    unseenForMs(provisioner, progress, uid) || infeasibleForMs(provisioner, { progress, uid, storageClass });
  if (waitMs > 0) return { retryAfterMs: waitMs };

  const { events } = provisioner;
  const message = `External provisioner is provisioning volume for claim "${namespace}/${name}"`;
  events.event({ object: claim, type: 'Normal', reason: 'Provisioning', message });
  try {
    const volume = await createVolume(provisioner, {
      claim,
      storageClass,
      selectedNode: selectedNodeOf(claim),
    });
    const success = `Successfully provisioned volume ${volume.name}`;
    events.event({ object: claim, type: 'Normal', reason: 'ProvisioningSucceeded', message: success });
    forget(provisioner, progress, uid);
    progress.made.set(uid, provisioner.context.clock.now() + seenWithinMs);
  } catch (error) {
    return afterFailure(provisioner, { progress, claim, storageClass, error });
  }
}

function forget({ memory }: Provisioner, progress: Progress, uid: string): void {
  const { inBackground, infeasible, made, waiting } = progress;
  made.delete(uid);
  memory.delete(uid);
  inBackground.delete(uid);
  infeasible.delete(uid);
  waiting.delete(uid);
}

/** The claim's class, if its volume is ours to make now. */
function wantedClass(
  { driver, volumes, classes }: Provisioner,
  claim: PersistentVolumeClaim,
): StorageClass | undefined {
  const { annotations = {} } = claim.metadata ?? {};
  if ((claim.spec?.volumeName ?? '') !== '') return undefined;
  const provisioner = annotations[storageProvisioner] ?? annotations[betaStorageProvisioner];
  const isMigrated = annotations[migratedTo] === driver.name && provisioner === inTreeNameFor(driver.name);
  if (provisioner !== driver.name && !isMigrated) return undefined;
  if (volumes.lister.getByKey(volumeName(claim)) !== undefined) return undefined;
  const className = classOfClaim(claim);
  const storageClass = classes.lister.getByKey(className);
  if (storageClass === undefined) throw new Error(`storageclass.storage.k8s.io "${className}" not found`);
  const ours = [driver.name, inTreeNameFor(driver.name)];
  if (!ours.includes(storageClass.provisioner)) return undefined;
  const waitsForNode =
    storageClass.volumeBindingMode === 'WaitForFirstConsumer' && selectedNodeOf(claim) === '';
  return waitsForNode ? undefined : storageClass;
}

const selectedNodeOf = ({ metadata }: PersistentVolumeClaim): string =>
  metadata?.annotations?.[selectedNodeAnnotation] ?? '';

/** Within this time an object that was written has come back by the watch. */
const seenWithinMs = 5_000;

function unseenForMs({ context: { clock } }: Provisioner, { made }: Progress, uid: string): number {
  return Math.max(0, (made.get(uid) ?? 0) - clock.now());
}

function infeasibleForMs(
  { context: { clock } }: Provisioner,
  { progress, uid, storageClass }: { progress: Progress; uid: string; storageClass: StorageClass },
): number {
  const known = progress.infeasible.get(uid);
  if (known === undefined) return 0;
  const waitMs = known.untilMs - clock.now();
  if (waitMs > 0 && known.classUid === storageClass.metadata?.uid) return waitMs;
  progress.infeasible.delete(uid);
  return 0;
}

interface Failure {
  progress: Progress;
  claim: PersistentVolumeClaim;
  storageClass: StorageClass;
  error: unknown;
}

async function afterFailure(
  provisioner: Provisioner,
  failure: Failure,
): Promise<{ retryAfterMs: number } | void> {
  const { progress, claim, storageClass, error } = failure;
  const { context, retry } = provisioner;
  const uid = claim.metadata?.uid ?? '';
  if (error instanceof IgnoredError) return forget(provisioner, progress, uid);
  if (provisioner.signal.aborted) throw error;
  const state = error instanceof ProvisionError ? error.state : 'in-background';
  tell(provisioner, failure);
  if (state === 'reschedule' && selectedNodeOf(claim) !== '') {
    await reschedule(provisioner, claim);
    return forget(provisioner, progress, uid);
  }
  if (state === 'in-background') progress.inBackground.set(uid, claim);
  else if (state !== 'no-change') progress.inBackground.delete(uid);
  if (state === 'no-change') progress.waiting.add(uid);
  else progress.waiting.delete(uid);
  if (state === 'no-change') progress.snapshots.watchFor(claim);
  if (!isInfeasible(error)) throw error;
  const retryAfterMs = retry.retryMaxMs ?? 300_000;
  const untilMs = context.clock.now() + retryAfterMs;
  progress.infeasible.set(uid, { untilMs, classUid: storageClass.metadata?.uid });
  return { retryAfterMs };
}

function tell({ events }: Provisioner, { claim, error }: Failure): void {
  const why = error instanceof Error ? error.message : String(error);
  const message = isInfeasible(error)
    ? `Volume provisioning failed with infeasible error. Retries will be delayed. ${why}`
    : why;
  events.event({ object: claim, type: 'Warning', reason: 'ProvisioningFailed', message });
}

/** Takes the scheduler's choice back, unless it has made another one meanwhile (then this is a Conflict). */
async function reschedule({ context: { client } }: Provisioner, claim: PersistentVolumeClaim): Promise<void> {
  const { name = '', namespace, resourceVersion } = claim.metadata ?? {};
  const patch = { metadata: { resourceVersion, annotations: { [selectedNodeAnnotation]: null } } };
  await client.resource(persistentVolumeClaims).patch({ name, namespace, type: 'merge', patch });
}
