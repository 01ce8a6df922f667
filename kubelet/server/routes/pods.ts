import type { Pod } from '../../../api/types.ts';
import { runningContainers } from '../../runtime-status/runtime-status.ts';
import type { RouteRequest } from '../server.ts';

/** The Pods that this node is to run, with the kubelet's own picture of their status. */
export async function pods({ options, response }: RouteRequest): Promise<void> {
  const { directory, context } = options.parts;
  const items = directory.list().map((pod) => ({
    ...pod,
    status: context.statuses.get(pod.metadata.uid) ?? pod.status,
  }));
  sendPods(response, items);
}

/** What the runtime runs, whoever wants it. */
export async function runningPods({ options, response }: RouteRequest): Promise<void> {
  const items = options.parts.context.cache.all().flatMap((status): Pod[] => {
    const running = runningContainers(status);
    if (running.length === 0) return [];
    const { uid, name, namespace } = status;
    return [
      {
        metadata: { name, namespace, uid },
        spec: { containers: running.map((one) => ({ name: one.name, image: one.image })) },
        status: {},
      },
    ];
  });
  sendPods(response, items);
}

const sendPods = (response: RouteRequest['response'], items: Pod[]): void => {
  const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
};
