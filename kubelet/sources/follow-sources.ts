import type { Pod } from '../../api/types.ts';
import { createInformer } from '../../client/informer.ts';
import { pods } from '../../client/resources.ts';
import type { PodParts } from '../compose-pods.ts';
import { messageOf } from '../cri/cri-error.ts';
import { removeOrphans } from '../garbage/orphans.ts';
import type { KubeletOptions } from '../kubelet-options.ts';
import type { PodDispatch } from './pod-dispatch.ts';
import { followStaticPods } from './static-source.ts';

export interface Sources {
  /** Resolves when all Pods of all sources are dispatched. */
  synced: Promise<void>;
  stop(): Promise<void>;
}

/** Follows the node's Pods; the first are dispatched when the runtime's containers are known, so that none starts twice. */
export function followSources({
  options,
  parts,
  dispatch,
  ready,
}: {
  options: KubeletOptions;
  parts: PodParts;
  dispatch: PodDispatch;
  ready: Promise<void>;
}): Sources {
  const { client, log, nodeName, staticPodDir } = options;
  const informer = createInformer<Pod>({
    client,
    resource: pods,
    fieldSelector: `spec.nodeName=${nodeName}`,
    onError: (error) => log.warn({ error: messageOf(error) }, 'watch of the pods of this node failed'),
  });
  let stopStatic = () => {};
  const begin = async () => {
    informer.start();
    await ready;
    informer.addHandler({
      add: (pod) => dispatch.set(pod),
      update: (pod) => dispatch.set(pod),
      delete: (pod) => dispatch.remove(pod),
    });
    if (staticPodDir) {
      const source = followStaticPods({
        folder: staticPodDir,
        nodeName,
        log,
        onChange: (found) => dispatch.setStatic(found),
      });
      stopStatic = () => source.stop();
      await source.ready;
    } else dispatch.setStatic([]);
    await informer.waitForSync();
    await removeOrphans(parts).catch((error: unknown) =>
      log.warn({ error: messageOf(error) }, 'cannot remove what deleted pods have left'),
    );
  };
  return {
    synced: begin(),
    async stop() {
      stopStatic();
      await informer.stop();
    },
  };
}
