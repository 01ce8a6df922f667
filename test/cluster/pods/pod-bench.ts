import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import type { CoreV1Event, Pod, PodSpec } from '../../../api/types.ts';
import { clientFromKubeconfig } from '../../../client/kubeconfig.ts';
import { events, pods } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import type { Cluster } from '../../../cluster/index.ts';
import { until } from '../../environment.ts';

/** What the tests of Pods on a real cluster share. */
export interface PodBench {
  cluster: Cluster;
  client: Client;
  create(name: string, spec: Partial<PodSpec> | PodSpec, metadata?: Pod['metadata']): Promise<Pod>;
  pod(name: string): Promise<Pod>;
  /** Polls until the Pod is as wanted; fails with what it was. */
  podUntil(t: ExecutionContext, name: string, wanted: (pod: Pod) => boolean): Promise<Pod>;
  running(t: ExecutionContext, name: string): Promise<Pod>;
  remove(name: string, gracePeriodSeconds?: number): Promise<void>;
  gone(name: string): Promise<void>;
  events(name: string): Promise<CoreV1Event[]>;
  eventUntil(
    t: ExecutionContext,
    name: string,
    wanted: (event: CoreV1Event) => boolean,
  ): Promise<CoreV1Event>;
  kubectl(...args: string[]): Promise<string>;
}

const run = promisify(execFile);
const kubectlPath = new URL('../../../scripts/podwright', import.meta.url).pathname;

/** A busybox container that does `command` in a shell. */
export const shell = (name: string, command: string, more: object = {}) => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', command],
  ...more,
});

/** Ends at once on SIGTERM, unlike a bare sleep as PID 1. */
export const forever = "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done";

export async function podBench(cluster: Cluster): Promise<PodBench> {
  const client = clientFromKubeconfig(cluster.kubeconfig);
  const resource = client.resource(pods);
  const namespace = 'default';
  const pod = (name: string) => resource.get({ name, namespace });
  const eventsOf = async (name: string) =>
    (await client.resource(events).list({ namespace })).items.filter(
      ({ involvedObject }) => involvedObject.name === name,
    );
  const podUntil = async (t: ExecutionContext, name: string, wanted: (pod: Pod) => boolean) => {
    let last: Pod | undefined;
    try {
      return await until(`pod ${name}`, async () => {
        last = await pod(name);
        return wanted(last) && last;
      });
    } catch (error) {
      t.log(JSON.stringify(last?.status, null, 1));
      t.log((await eventsOf(name)).map(({ reason, message }) => `${reason}: ${message}`).join('\n'));
      throw error;
    }
  };
  return {
    cluster,
    client,
    pod,
    podUntil,
    create: (name, spec, metadata) =>
      resource.create({
        object: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name, namespace, ...metadata },
          spec: { terminationGracePeriodSeconds: 2, containers: [shell('main', forever)], ...spec },
        },
      }),
    running: (t, name) =>
      podUntil(
        t,
        name,
        ({ status }) =>
          status?.phase === 'Running' &&
          (status.containerStatuses ?? []).every(({ state }) => state?.running !== undefined),
      ),
    async remove(name, gracePeriodSeconds) {
      await resource.delete({
        name,
        namespace,
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      });
    },
    async gone(name) {
      await until(`pod ${name} gone`, async () =>
        pod(name).then(
          () => false,
          (error: { status?: { code?: number } }) => error.status?.code === 404,
        ),
      );
    },
    events: eventsOf,
    async eventUntil(t, name, wanted) {
      let last: CoreV1Event[] = [];
      try {
        return await until(`event of ${name}`, async () => {
          last = await eventsOf(name);
          return last.find(wanted);
        });
      } catch (error) {
        t.log(last.map(({ type, reason, message }) => `${type} ${reason}: ${message}`).join('\n'));
        throw error;
      }
    },
    async kubectl(...args) {
      const all = ['kubectl', '--name', cluster.name, ...args];
      const { stdout } = await run(kubectlPath, all, { maxBuffer: 16 * 1024 * 1024 });
      return stdout;
    },
  };
}
