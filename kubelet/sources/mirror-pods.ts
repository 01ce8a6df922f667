import { isAlreadyExists, isConflict, isNotFound } from '../../client/errors.ts';
import { nodes, pods } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import { hashAnnotation, isStaticPod, mirrorAnnotation } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodDirectory } from './pod-directory.ts';

/** Keeps the API server's picture of the static Pods: created, replaced when the file changes, deleted with it. */
export interface MirrorPods {
  /** Makes sure of the mirror of a static Pod, in the background. */
  ensure(pod: KubeletPod): void;
  /** Deletes mirrors without a static Pod, but for those whose Pod is ending still; called when the sources are known. */
  removeOrphans(): void;
}

export function createMirrorPods({
  client,
  directory,
  isEnding,
  nodeName,
  log,
}: {
  client: Client;
  directory: PodDirectory;
  /** Whether a static Pod of this name, whose file is gone or has changed, is ending still. */
  isEnding: (namespace: string, name: string) => boolean;
  nodeName: string;
  log: KubeletLog;
}): MirrorPods {
  const resource = client.resource(pods);
  /** Mirrors that are written just now, by name; true when there is something to do again afterwards. */
  const busy = new Map<string, boolean>();
  let nodeUid = '';

  const remove = async ({ metadata }: KubeletPod) => {
    const { name, namespace, uid } = metadata;
    await resource
      .delete({ name, namespace, gracePeriodSeconds: 0, preconditions: { uid } })
      .catch((error: unknown) => {
        // Another one of its name, of which the watch has not told yet: there is nothing to delete either.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      });
  };
  const ensure = async (pod: KubeletPod) => {
    const mirror = directory.mirrorOf(pod);
    const hash = pod.metadata.annotations?.[hashAnnotation] ?? '';
    if (mirror?.metadata.annotations?.[mirrorAnnotation] === hash) {
      if (!mirror.metadata.deletionTimestamp) return;
    }
    if (mirror) await remove(mirror);
    nodeUid ||= (await client.resource(nodes).get({ name: nodeName })).metadata?.uid ?? '';
    await resource.create({ object: mirrorOf(pod, { hash, nodeName, nodeUid }) }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
  };
  /** Brings the mirror of this name in line with the static Pod of this name, or with there being none. */
  const settle = async (namespace: string, name: string) => {
    const pod = directory.byName(namespace, name);
    if (pod && isStaticPod(pod)) return ensure(pod);
    if (isEnding(namespace, name)) return;
    const orphan = directory
      .mirrors()
      .find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    if (orphan) await remove(orphan);
  };
  const inBackground = (namespace: string, name: string) => {
    const key = `${namespace}/${name}`;
    if (busy.has(key)) return void busy.set(key, true);
    busy.set(key, false);
    settle(namespace, name)
      .catch((error: unknown) => log.warn({ pod: key, error: messageOf(error) }, 'cannot write a mirror pod'))
      .finally(() => {
        const again = busy.get(key);
        busy.delete(key);
        if (again) inBackground(namespace, name);
      });
  };
  return {
    ensure: ({ metadata }) => inBackground(metadata.namespace, metadata.name),
    removeOrphans() {
      for (const { metadata } of directory.mirrors()) {
        if (!directory.byName(metadata.namespace, metadata.name))
          inBackground(metadata.namespace, metadata.name);
      }
    },
  };
}

/** The object that stands for the static Pod; owned by the node, so that it goes with it. */
const mirrorOf = (
  { metadata, spec }: KubeletPod,
  { hash, nodeName, nodeUid }: { hash: string; nodeName: string; nodeUid: string },
) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: metadata.name,
    namespace: metadata.namespace,
    ...(metadata.labels ? { labels: metadata.labels } : {}),
    annotations: { ...metadata.annotations, [mirrorAnnotation]: hash },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeUid, controller: true }],
  },
  spec,
});
