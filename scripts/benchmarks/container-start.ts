import { once } from 'node:events';
import { nodePaths } from '../../cluster/paths.ts';
import { connectCri } from '../../runtime/cri/client.ts';
import { image } from './cluster.ts';
import type { BenchCluster } from './cluster.ts';
import { median } from './figure.ts';
import type { Figure, MeasureOptions } from './figure.ts';
import { crunTimes } from './peers.ts';

/** CreateContainer and StartContainer of /bin/true, until the event of its end; crun run does the same. */
export const containerStart = async (
  { name, node }: BenchCluster,
  { runs, peers }: MeasureOptions,
): Promise<Figure[]> => {
  const { criSocket, run: logDirectory } = nodePaths(name, node);
  const cri = connectCri({ socketPath: criSocket });
  const sandboxConfig = {
    metadata: { name: 'bench', namespace: 'bench', uid: 'bench', attempt: 0 },
    logDirectory,
    linux: { cgroupParent: `/podwright/${name}/${node}/bench` },
  };
  const { podSandboxId } = await cri.runtime.RunPodSandbox({ config: sandboxConfig });
  const events = cri.runtime.GetContainerEvents({});
  const samples: number[] = [];
  try {
    for (let run = 0; run < runs + 2; run += 1) {
      const startMs = performance.now();
      const config = {
        metadata: { name: 'true', attempt: run },
        image: { image },
        command: ['/bin/true'],
        logPath: 'bench-true.log',
      };
      const { containerId } = await cri.runtime.CreateContainer({ podSandboxId, config, sandboxConfig });
      const ended = waitForEnd(events, containerId);
      await cri.runtime.StartContainer({ containerId });
      await ended;
      // The first ones load code and caches, for us as for the peer.
      if (run >= 2) samples.push(performance.now() - startMs);
      await cri.runtime.RemoveContainer({ containerId });
    }
  } finally {
    events.on('error', () => undefined);
    events.cancel();
    await cri.runtime.StopPodSandbox({ podSandboxId });
    await cri.runtime.RemovePodSandbox({ podSandboxId });
    cri.close();
  }
  const figure: Figure = {
    name: 'container start to exit, /bin/true',
    unit: 'ms',
    ours: median(samples),
    goal: 'not slower than crun run',
    samples,
  };
  return [peers ? { ...figure, peer: { name: 'crun run', value: median(await crunTimes(runs)) } } : figure];
};

const waitForEnd = async (
  events: ReturnType<ReturnType<typeof connectCri>['runtime']['GetContainerEvents']>,
  containerId: string,
): Promise<void> => {
  for (;;) {
    const [event] = (await once(events, 'data')) as [{ containerId: string; containerEventType: string }];
    if (event.containerId === containerId && event.containerEventType === 'CONTAINER_STOPPED_EVENT') return;
  }
};
