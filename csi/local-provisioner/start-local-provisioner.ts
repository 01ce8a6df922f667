import type { Logger } from 'pino';
import type { PersistentVolume } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
import { createReconciler, createRecorders } from '../../client/controller.ts';
import type { Reconciler } from '../../client/controller.ts';
import { createInformerFactory } from '../../client/informer-factory.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import { nodes, persistentVolumes, storageClasses } from '../../client/resources.ts';
import { errorInWords } from '../error.ts';
import { discover } from './discover.ts';
import { isMadeOn } from './local-volume.ts';
import type { LocalProvisionerOptions, Provisioner } from './provisioner.ts';
import { reclaim } from './reclaim.ts';
import { watchDirectories } from './watch-directories.ts';

export type { LocalClassOptions, LocalProvisionerOptions } from './provisioner.ts';

const scanKey = '';

/** Runs a node's local provisioner until stopped; resolves its `stop` when nothing more will be done. */
export const startLocalProvisioner = (options: LocalProvisionerOptions): { stop(): Promise<void> } => {
  const { client, nodeName, discoveryDir, log, clock = systemClock, scanMs = 10_000 } = options;
  // Without its trace: a new cluster's nodes are there before their roles, and each says so once.
  const onError = (error: unknown) =>
    log.warn({ error: errorInWords(error) }, 'informer of the local provisioner');
  const informers = createInformerFactory({ client, clock, onError });
  const recorders = createRecorders({ client, clock, log });
  const recorder = recorders.recorder(`local-volume-provisioner-${nodeName}`);
  const stopping = new AbortController();
  const provisioner: Provisioner = {
    client,
    log,
    discoveryDir,
    nodeName,
    classes: options.classes ?? {},
    scanMs,
    recorder,
    clock,
    cleaning: new Set(),
    busySinceMs: new Map(),
    stopping: stopping.signal,
    ...readersOf(informers, nodeName),
  };
  const warnOnce = createWarnOnce(log);
  const context = { client, informers, clock, log, recorder: () => recorder };
  const reconciler: Reconciler = createReconciler({
    name: 'local-provisioner',
    context,
    async reconcile(key) {
      if (key !== scanKey) {
        const outcome = await reclaim(key, provisioner);
        reconciler.queue.add(scanKey);
        return outcome;
      }
      directories.refresh();
      warnOnce(await discover(provisioner));
      return { retryAfterMs: scanMs };
    },
  });
  const directories = watchDirectories(discoveryDir, () => {
    reconciler.queue.add(scanKey);
    // Their disks may have been unmounted just now.
    for (const name of provisioner.busySinceMs.keys()) reconciler.queue.add(name);
  });
  follow(informers, { reconciler, nodeName });
  reconciler.queue.add(scanKey);
  informers.start();
  return {
    async stop() {
      stopping.abort(new Error('the local provisioner is stopped'));
      directories.stop();
      await informers.stop();
      await reconciler.stop();
      recorders.stop();
    },
  };
};

const nodeInformer = (informers: InformerFactory, nodeName: string) =>
  informers.informer(nodes, { fieldSelector: `metadata.name=${nodeName}` });

const readersOf = (informers: InformerFactory, nodeName: string) => {
  const volumes = informers.informer(persistentVolumes).lister;
  const classes = informers.informer(storageClasses).lister;
  const { lister } = nodeInformer(informers, nodeName);
  return {
    nodeOf: () => lister.getByKey(nodeName),
    classOf: (name: string) => classes.getByKey(name),
    volumeOf: (name: string) => volumes.getByKey(name),
    ownVolumes: () => volumes.list().filter((volume) => isMadeOn(volume, nodeName)),
  };
};

const follow = (
  informers: InformerFactory,
  { reconciler, nodeName }: { reconciler: Reconciler; nodeName: string },
): void => {
  const scan = () => [scanKey];
  reconciler.follow(nodeInformer(informers, nodeName), scan);
  reconciler.follow(informers.informer(storageClasses), scan);
  informers.informer(persistentVolumes).addHandler({
    add: queueReleased,
    update: queueReleased,
    delete: () => reconciler.queue.add(scanKey),
  });
  function queueReleased(volume: PersistentVolume): void {
    if (volume.status?.phase === 'Released' && isMadeOn(volume, nodeName))
      reconciler.queue.add(volume.metadata?.name ?? '');
  }
};

/** What can't be made a volume is looked at every few seconds, and told of once. */
const createWarnOnce = (log: Logger) => {
  let told = new Set<string>();
  return (warnings: string[]) => {
    for (const warning of warnings) if (!told.has(warning)) log.warn(warning);
    told = new Set(warnings);
  };
};
