import test from 'ava';
import type { Node, Pod } from '../../../api/types.ts';
import { aCluster, aNode, aPod } from '../fixtures.ts';

const cases: Record<
  string,
  { nodes: Node[]; pods?: Record<string, Pod[]>; pod: Pod; fits?: string[]; message?: string }
> = {
  'NodeName: only the named node': {
    nodes: [aNode(), aNode({ name: 'node-2' })],
    pod: aPod({ nodeName: 'node-2' }),
    fits: ['node-2'],
  },
  'NodeName: a node that is not there': {
    nodes: [aNode()],
    pod: aPod({ nodeName: 'elsewhere' }),
    message: "0/1 nodes are available: 1 node(s) didn't match the requested node name.",
  },
  'NodeUnschedulable: a cordoned node': {
    nodes: [aNode({ spec: { unschedulable: true } })],
    pod: aPod(),
    message: '0/1 nodes are available: 1 node(s) were unschedulable.',
  },
  'NodeUnschedulable: tolerated': {
    nodes: [aNode({ spec: { unschedulable: true } })],
    pod: aPod({ tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] }),
    fits: ['node-1'],
  },
  'TaintToleration and NodeResourcesFit: the reasons are counted and sorted': {
    nodes: [
      aNode({ spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] } }),
      aNode({ name: 'node-2' }),
      aNode({ name: 'node-3' }),
    ],
    pod: aPod({ requests: { cpu: '3' } }),
    message: '0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.',
  },
  'TaintToleration: equal value': {
    nodes: [aNode({ spec: { taints: [{ key: 'disk', value: 'ssd', effect: 'NoExecute' }] } })],
    pod: aPod({ tolerations: [{ key: 'disk', value: 'ssd', effect: 'NoExecute' }] }),
    fits: ['node-1'],
  },
  'TaintToleration: another effect is not tolerated': {
    nodes: [aNode({ spec: { taints: [{ key: 'disk', value: 'ssd', effect: 'NoExecute' }] } })],
    pod: aPod({ tolerations: [{ key: 'disk', value: 'ssd', effect: 'NoSchedule' }] }),
    message: '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
  },
  'TaintToleration: PreferNoSchedule keeps nobody away': {
    nodes: [aNode({ spec: { taints: [{ key: 'a', effect: 'PreferNoSchedule' }] } })],
    pod: aPod(),
    fits: ['node-1'],
  },
  'NodeAffinity: nodeSelector': {
    nodes: [aNode({ labels: { disk: 'ssd' } }), aNode({ name: 'node-2' })],
    pod: aPod({ nodeSelector: { disk: 'ssd' } }),
    fits: ['node-1'],
  },
  'NodeAffinity: no node matches': {
    nodes: [aNode(), aNode({ name: 'node-2' })],
    pod: aPod({ nodeSelector: { disk: 'ssd' } }),
    message: "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
  },
  'NodeAffinity: every operator': {
    nodes: [aNode({ labels: { size: '5', disk: 'ssd' } }), aNode({ name: 'node-2', labels: { size: '1' } })],
    pod: aPod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [] },
              {
                matchExpressions: [
                  { key: 'size', operator: 'Gt', values: ['3'] },
                  { key: 'size', operator: 'Lt', values: ['6'] },
                  { key: 'disk', operator: 'In', values: ['ssd', 'nvme'] },
                  { key: 'disk', operator: 'Exists' },
                  { key: 'gpu', operator: 'DoesNotExist' },
                  { key: 'gpu', operator: 'NotIn', values: ['old'] },
                ],
              },
            ],
          },
        },
      },
    }),
    fits: ['node-1'],
  },
  'NodeAffinity: nodes named by field are the only ones looked at': {
    nodes: [aNode(), aNode({ name: 'node-2', spec: { unschedulable: true } }), aNode({ name: 'node-3' })],
    pod: aPod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-2'] }] },
            ],
          },
        },
      },
    }),
    message:
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  },
  'NodeResourcesFit: what is taken counts': {
    nodes: [aNode()],
    pods: { 'node-1': [aPod({ requests: { cpu: '1500m', memory: '3Gi' } })] },
    pod: aPod({ requests: { cpu: '1', memory: '2Gi', 'ephemeral-storage': '1Gi' } }),
    message:
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient ephemeral-storage, 1 Insufficient memory.',
  },
  'NodeResourcesFit: too many pods': {
    nodes: [aNode({ allocatable: { pods: '1' } })],
    pods: { 'node-1': [aPod()] },
    pod: aPod(),
    message: '0/1 nodes are available: 1 Too many pods.',
  },
  'NodeResourcesFit: an extended resource': {
    nodes: [aNode(), aNode({ name: 'node-2', allocatable: { 'example.com/gpu': '1' } })],
    pod: aPod({ requests: { 'example.com/gpu': '1' } }),
    fits: ['node-2'],
  },
  'NodePorts: the port is taken': {
    nodes: [aNode()],
    pods: {
      'node-1': [
        aPod({
          containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 80, hostIP: '127.0.0.1' }] }],
        }),
      ],
    },
    pod: aPod({ containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
    message: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  },
  'NodePorts: another protocol, another address': {
    nodes: [aNode()],
    pods: {
      'node-1': [
        aPod({
          containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 80, hostIP: '127.0.0.1' }] }],
        }),
      ],
    },
    pod: aPod({
      containers: [
        {
          name: 'a',
          ports: [
            { containerPort: 80, hostPort: 80, protocol: 'UDP' },
            { containerPort: 80, hostPort: 80, hostIP: '127.0.0.2' },
          ],
        },
      ],
    }),
    fits: ['node-1'],
  },
};

for (const [name, { nodes, pods = {}, pod, fits = [], message }] of Object.entries(cases)) {
  test(name, (t) => {
    const outcome = aCluster({ nodes, pods }).filter(pod);
    t.deepEqual(outcome.names, fits);
    if (message !== undefined) t.is(outcome.message, message);
  });
}

const near = (labels: Record<string, string>, topologyKey = 'zone') => ({
  labelSelector: { matchLabels: labels },
  topologyKey,
});
const zones = [
  aNode({ labels: { zone: 'a' } }),
  aNode({ name: 'node-2', labels: { zone: 'a' } }),
  aNode({ name: 'node-3', labels: { zone: 'b' } }),
];
const required = (term: ReturnType<typeof near>) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [term],
});

test('InterPodAffinity: near to other pods', (t) => {
  const cluster = aCluster({ nodes: zones, pods: { 'node-1': [aPod({ labels: { app: 'db' } })] } });
  const pod = aPod({ affinity: { podAffinity: required(near({ app: 'db' })) } });
  t.deepEqual(cluster.filter(pod).names, ['node-1', 'node-2']);
  const lonely = aPod({ affinity: { podAffinity: required(near({ app: 'none' })) } });
  t.is(cluster.filter(lonely).message, "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.");
});

test('InterPodAffinity: the first of a group may begin anywhere', (t) => {
  const pod = aPod({ labels: { app: 'db' }, affinity: { podAffinity: required(near({ app: 'db' })) } });
  t.is(aCluster({ nodes: zones }).filter(pod).names.length, 3);
});

test('InterPodAffinity: away from other pods, and they from us', (t) => {
  const cluster = aCluster({
    nodes: zones,
    pods: {
      'node-1': [aPod({ labels: { app: 'db' } })],
      'node-3': [aPod({ affinity: { podAntiAffinity: required(near({ app: 'web' })) } })],
    },
  });
  const pod = aPod({ labels: { app: 'web' }, affinity: { podAntiAffinity: required(near({ app: 'db' })) } });
  t.is(
    cluster.filter(pod).message,
    "0/3 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules, " +
      "2 node(s) didn't match pod anti-affinity rules.",
  );
});

test('InterPodAffinity: other namespaces only when named or selected', (t) => {
  const other = aPod({ labels: { app: 'db' } });
  const inShop = { ...other, metadata: { ...other.metadata, namespace: 'shop' } };
  const cluster = aCluster({
    nodes: zones,
    pods: { 'node-3': [inShop] },
    namespaceLabels: { shop: { team: 'x' } },
  });
  const ask = (extra: object) =>
    cluster.filter(aPod({ affinity: { podAffinity: required({ ...near({ app: 'db' }), ...extra }) } })).names;
  t.deepEqual(ask({}), []);
  t.deepEqual(ask({ namespaces: ['shop'] }), ['node-3']);
  t.deepEqual(ask({ namespaceSelector: { matchLabels: { team: 'x' } } }), ['node-3']);
  t.deepEqual(ask({ namespaceSelector: { matchLabels: { team: 'y' } } }), []);
});

const spread = (extra: object = {}) => ({
  maxSkew: 1,
  topologyKey: 'zone',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
  ...extra,
});

test('PodTopologySpread: the skew is bounded', (t) => {
  const web = () => aPod({ labels: { app: 'web' } });
  const cluster = aCluster({ nodes: zones, pods: { 'node-1': [web()] } });
  const pod = aPod({ labels: { app: 'web' }, topologySpreadConstraints: [spread()] });
  t.deepEqual(cluster.filter(pod).names, ['node-3']);
  const wanting = aPod({ labels: { app: 'web' }, topologySpreadConstraints: [spread({ minDomains: 3 })] });
  t.deepEqual(cluster.filter(wanting).names, ['node-3']);
});

test('PodTopologySpread: a node without the key, and the message', (t) => {
  const web = () => aPod({ labels: { app: 'web' } });
  const nodes = [...zones.slice(0, 2), aNode({ name: 'node-4' })];
  const cluster = aCluster({ nodes, pods: { 'node-1': [web()] } });
  const pod = aPod({ labels: { app: 'web' }, topologySpreadConstraints: [spread({ minDomains: 2 })] });
  t.is(
    cluster.filter(pod).message,
    "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), " +
      "2 node(s) didn't match pod topology spread constraints.",
  );
});

test('SchedulingGates: held back until the last gate is gone', (t) => {
  const { plugins } = aCluster({ nodes: [] });
  const gate = plugins.find(({ name }) => name === 'SchedulingGates');
  t.deepEqual(gate?.preEnqueue?.(aPod({ schedulingGates: [{ name: 'a' }, { name: 'b' }] }))?.reasons, [
    'waiting for scheduling gates: [a b]',
  ]);
  t.is(gate?.preEnqueue?.(aPod({ schedulingGates: [] })), undefined);
});
