import type { Pod } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
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
    const listed: Pod[] = [];
    informer.addHandler({
      add: (pod, { isInInitialList }) => {
        if (isInInitialList) listed.push(pod);
        else dispatch.set(pod);
      },
      update: (pod) => dispatch.set(pod),
      delete: (pod) => dispatch.remove(pod),
    });
    // What is free on the node goes to those who came first (upstream: HandlePodAdditions).
    const dispatched = informer.waitForSync().then(() => {
      for (const pod of listed.sort(byCreation)) dispatch.set(pod);
    });
    // It may be stopped before anybody waits for it.
    dispatched.catch(() => undefined);
    if (staticPodDir) {
      const source = followStaticPods({
        folder: staticPodDir,
        nodeName,
        clock: options.clock ?? systemClock,
        log,
        onChange: (found) => dispatch.setStatic(found),
      });
      stopStatic = () => source.stop();
      await source.ready;
    } else dispatch.setStatic([]);
    await dispatched;
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

const byCreation = (a: Pod, b: Pod): number => createdMs(a) - createdMs(b);

const createdMs = ({ metadata }: Pod): number => Date.parse(metadata?.creationTimestamp ?? '') || 0;
