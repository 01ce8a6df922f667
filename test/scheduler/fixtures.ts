import type { Node, Pod, PodSpec } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
import type { ApiObject } from '../../client/objects.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Client } from '../../client/rest.ts';
import { createSchedulerCache } from '../../scheduler/cache.ts';
import { createCycleState } from '../../scheduler/framework/cycle-state.ts';
import { fitErrorMessage } from '../../scheduler/framework/fit-error.ts';
import type { SchedulerHandle } from '../../scheduler/framework/handle.ts';
import type { Plugin } from '../../scheduler/framework/plugin.ts';
import { findFeasibleNodes } from '../../scheduler/framework/filter-nodes.ts';
import { scoreNodes } from '../../scheduler/framework/score-nodes.ts';
import { defaultPlugins } from '../../scheduler/plugins/index.ts';
import { fakeInformers } from './fake-informers.ts';

let count = 0;

/** A pod with one container; `resources` are its requests. */
export const aPod = ({
  name = 'web',
  labels = {},
  requests = {},
  ...spec
}: {
  name?: string;
  labels?: Record<string, string>;
  requests?: Record<string, string>;
} & Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: `uid-${(count += 1)}`, labels },
  spec: { containers: [{ name: 'main', image: 'busybox', resources: { requests } }], ...spec },
});

/** A node with 2 cores and 4 GiB. */
export const aNode = ({
  name = 'node-1',
  labels = {},
  spec = {},
  allocatable = {},
}: {
  name?: string;
  labels?: Record<string, string>;
  spec?: Node['spec'];
  allocatable?: Record<string, string>;
} = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  ...(spec === undefined ? {} : { spec }),
  status: { allocatable: { cpu: '2', memory: '4Gi', pods: '110', ...allocatable } },
});

/** The default plugins over a cluster of these nodes and pods, without a server. */
export const aCluster = ({
  nodes,
  pods = {},
  namespaceLabels = {},
  objects = {},
}: {
  nodes: Node[];
  pods?: Record<string, Pod[]>;
  namespaceLabels?: Record<string, Record<string, string>>;
  /** What the informers know besides, by resource, such as `persistentvolumeclaims`. */
  objects?: Record<string, ApiObject[]>;
}) => {
  const cache = createSchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const [nodeName, list] of Object.entries(pods)) {
    for (const pod of list) {
      cache.setPod({ ...pod, spec: { containers: [], ...pod.spec, nodeName } });
    }
  }
  const namespaces = Object.entries(namespaceLabels).map(([name, labels]) => ({
    metadata: { name, labels },
  }));
  const informers = fakeInformers({ namespaces, ...objects });
  const plugins: Plugin[] = [];
  const handle: SchedulerHandle = {
    // Evictions go nowhere.
    client: { resource: () => ({ patch: async () => ({}), delete: async () => ({}) }) } as unknown as Client,
    informers,
    recorder: { event: () => undefined } as unknown as EventRecorder,
    schedulerName: 'default-scheduler',
    clock: systemClock,
    nodes: () => cache.nodes(),
    withNominated: cache.withNominated,
    nominatedOn: cache.nominatedOn,
    plugins: () => plugins,
    activate: () => undefined,
    cancelPreBind: () => false,
    onError: () => undefined,
  };
  plugins.push(...defaultPlugins.map((factory) => factory(handle)));

  return {
    cache,
    handle,
    /** The informers' objects of a resource, to be changed. */
    store: (resource: string) => informers.store(resource),
    plugins,
    /** The names of the nodes that fit, and upstream's message when none does (postFilter left out). */
    filter(pod: Pod) {
      const all = cache.nodes();
      const outcome = findFeasibleNodes(plugins, {
        pod,
        state: createCycleState(),
        nodes: all,
        withNominated: cache.withNominated,
      });
      return {
        ...outcome,
        names: outcome.feasible.map(({ name }) => name),
        message: fitErrorMessage({ nodeCount: all.length, ...outcome }),
      };
    },
    /** The weighted score of each node that fits by name, of one plugin or of all. */
    score(pod: Pod, pluginName?: string): Record<string, number> {
      const allNodes = cache.nodes();
      const state = createCycleState();
      const { feasible } = findFeasibleNodes(plugins, { pod, state, nodes: allNodes });
      const chosen = plugins.filter(({ name }) => pluginName === undefined || name === pluginName);
      const totals = scoreNodes(chosen, { pod, state, nodes: feasible, allNodes });
      return Object.fromEntries(feasible.map(({ name }, index) => [name, totals[index] ?? 0]));
    },
  };
};
