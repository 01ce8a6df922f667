import { quantityValue } from '../../api/quantity.ts';
import { sizeOf } from '../../api/storage/match-volume.ts';
import type { PersistentVolume, Pod, Volume } from '../../api/types.ts';
import { isAlreadyExists, isNotFound } from '../../client/errors.ts';
import { createInformer } from '../../client/informer.ts';
import { events, pods } from '../../client/resources.ts';
import { nameOf } from './binder.ts';
import type { Binder } from './binder.ts';

const namespace = 'default';
/** Upstream's seconds: at least, and for each GiB (RecommendedDefaultPersistentVolumeRecyclerConfiguration). */
const timeouts = { hostPath: { minimum: 60, perGi: 30 }, nfs: { minimum: 300, perGi: 30 } };
/** Upstream uses a Debian image of a registry; busybox is what every Podwright cluster has. Its find may have no -delete. */
const image = 'docker.io/library/busybox';
const script =
  'test -e /scrub && find /scrub -mindepth 1 -maxdepth 1 -exec rm -rf {} + && test -z "$(ls -A /scrub)" || exit 1';

/** The Pod that empties a volume of a kind that can be recycled; undefined for all others. */
export const recyclerPodFor = (volume: PersistentVolume): Pod | undefined => {
  const { hostPath, nfs } = volume.spec ?? {};
  if (hostPath !== undefined)
    return recyclerPod(volume, { source: { hostPath: { path: hostPath.path } }, timeout: timeouts.hostPath });
  if (nfs === undefined) return undefined;
  const source = { nfs: { server: nfs.server, path: nfs.path } };
  return recyclerPod(volume, { source, timeout: timeouts.nfs });
};

const recyclerPod = (
  volume: PersistentVolume,
  { source, timeout }: { source: Partial<Volume>; timeout: { minimum: number; perGi: number } },
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `recycler-for-${nameOf(volume)}`, namespace },
  spec: {
    activeDeadlineSeconds: Math.max(
      timeout.minimum,
      Math.floor(quantityValue(sizeOf(volume)) / 2 ** 30) * timeout.perGi,
    ),
    restartPolicy: 'Never',
    volumes: [{ name: 'vol', ...source }],
    containers: [
      {
        name: 'pv-recycler',
        image,
        // Without a tag the default would be to ask the registry each time.
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/sh'],
        args: ['-c', script],
        volumeMounts: [{ name: 'vol', mountPath: '/scrub' }],
      },
    ],
  },
});

/**
 * Runs the Pod to its end and deletes it; its events are told of the volume too. Rejects with upstream's words when
 * the Pod fails, is deleted or is there already (of an earlier life of this controller: it goes, and the volume's
 * next turn makes a new one).
 */
export const runRecycler = async ({
  pod,
  volume,
  binder,
  signal,
}: {
  pod: Pod;
  volume: PersistentVolume;
  binder: Binder;
  signal: AbortSignal;
}): Promise<void> => {
  const name = pod.metadata?.name ?? '';
  await createPod(pod, binder);
  const stopTelling = tellEvents({ name, volume, binder });
  try {
    await podEnd({ name, binder, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(`failed to recycle volume: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await stopTelling();
    await deletePod(name, binder);
  }
};

const createPod = async (pod: Pod, { client }: Binder): Promise<void> => {
  const name = pod.metadata?.name ?? '';
  try {
    await client.resource(pods).create({ object: pod });
  } catch (error) {
    if (!isAlreadyExists(error))
      throw new Error(`unexpected error creating recycler pod:  ${String(error)}`, { cause: error });
    await client.resource(pods).delete({ name, namespace });
    throw new Error('old recycler pod found, will retry later', { cause: error });
  }
};

const deletePod = async (name: string, { client }: Binder): Promise<void> => {
  try {
    await client.resource(pods).delete({ name, namespace });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};

const tellEvents = ({ name, volume, binder }: { name: string; volume: PersistentVolume; binder: Binder }) => {
  const { client, clock, recorder } = binder;
  const fieldSelector = `involvedObject.name=${name}`;
  const informer = createInformer({ client, clock, resource: events, namespace, fieldSelector });
  informer.addHandler({
    add: ({ type, message }) =>
      recorder.event({
        object: volume,
        type: type === 'Warning' ? 'Warning' : 'Normal',
        reason: 'RecyclerPod',
        message: `Recycler pod: ${message ?? ''}`,
      }),
  });
  informer.start();
  return () => informer.stop();
};

/** Resolves when the Pod has succeeded. */
const podEnd = async ({ name, binder, signal }: { name: string; binder: Binder; signal: AbortSignal }) => {
  const { client, clock } = binder;
  const end = Promise.withResolvers<void>();
  const fieldSelector = `metadata.name=${name}`;
  const informer = createInformer({ client, clock, resource: pods, namespace, fieldSelector });
  const look = ({ status }: Pod) => {
    if (status?.phase === 'Succeeded') end.resolve();
    if (status?.phase !== 'Failed') return;
    end.reject(new Error(status.message || 'pod failed, pod.Status.Message unknown'));
  };
  informer.addHandler({
    add: look,
    update: look,
    delete: () => end.reject(new Error('recycler pod was deleted')),
  });
  const abort = () => end.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  informer.start();
  try {
    await end.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await informer.stop();
  }
};
