import test from 'ava';
import { runtimeClass } from '../../../apiserver/registry/classes.ts';
import {
  podStatusWarnings,
  podTemplateWarnings,
  podWarnings,
} from '../../../apiserver/registry/pod-warnings/pod-warnings.ts';
import type { Pod, Volume } from '../../../api/types.ts';
import { inContainer, inSpec, volumeOf } from '../../api/validation/refusals.ts';
import { validPod } from '../../api/validation/pods.ts';
import type { PlainPod } from '../../api/validation/pods.ts';

const inMetadata = (fields: object) => (pod: PlainPod) => void Object.assign(pod.metadata, fields);
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
const noSelector = 'a null labelSelector results in matching no pod';
const arch = 'beta.kubernetes.io/arch';
const archWords = 'deprecated since v1.14; use "kubernetes.io/arch" instead';
const term = { topologyKey: 'kubernetes.io/hostname' };
const items = (...paths: string[]) => paths.map((path, index) => ({ key: `k${index}`, path }));
const container = (name: string, fields: object = {}) => ({ name, image: 'busybox', ...fields });

const warnings: [title: string, change: (pod: PlainPod) => void, warnings: string[]][] = [
  ['an ordinary Pod', () => undefined, []],
  [
    'a name with dots',
    inMetadata({ name: 'a.b' }),
    [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ],
  ],
  [
    'deprecated labels in the node selector',
    inSpec({
      nodeSelector: {
        disk: 'ssd',
        constructor: 'acme',
        [arch]: 'amd64',
        'node-role.kubernetes.io/master': '',
      },
    }),
    [
      `spec.nodeSelector[${arch}]: ${archWords}`,
      'spec.nodeSelector[node-role.kubernetes.io/master]: use "node-role.kubernetes.io/control-plane" instead',
    ],
  ],
  [
    'deprecated labels and impossible values in the node affinity',
    inSpec({
      affinity: {
        nodeAffinity: {
          [REQUIRED]: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'a', operator: 'Exists' }] },
              {
                matchExpressions: [
                  { key: 'a', operator: 'Exists' },
                  { key: arch, operator: 'Exists' },
                ],
              },
            ],
          },
          [PREFERRED]: [
            {
              weight: 1,
              preference: { matchExpressions: [{ key: arch, operator: 'In', values: ['x', '-1'] }] },
            },
          ],
        },
      },
    }),
    [
      `spec.affinity.nodeAffinity.${REQUIRED}.nodeSelectorTerms[1].matchExpressions[1].key: ${arch} is ${archWords}`,
      `spec.affinity.nodeAffinity.${PREFERRED}[0].preference.matchExpressions[0].key: ${arch} is ${archWords}`,
      `spec.affinity.nodeAffinity.${PREFERRED}[0].preference.matchExpressions[0].values[1]: -1 is invalid, a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
  ],
  [
    'spread over a deprecated label, and of no Pod',
    inSpec({
      topologySpreadConstraints: [
        { topologyKey: 'zone', labelSelector: {} },
        { topologyKey: 'failure-domain.beta.kubernetes.io/zone' },
      ],
    }),
    [
      'spec.topologySpreadConstraints[1].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
      `spec.topologySpreadConstraints[1].labelSelector: ${noSelector}`,
    ],
  ],
  [
    'affinity with no Pod',
    inSpec({
      affinity: {
        podAffinity: { [REQUIRED]: [{ ...term, labelSelector: {} }, term] },
        podAntiAffinity: { [REQUIRED]: [term], [PREFERRED]: [{ weight: 1, podAffinityTerm: term }] },
      },
    }),
    [
      `spec.affinity.podAffinity.${REQUIRED}[1].labelSelector: ${noSelector}`,
      `spec.affinity.podAntiAffinity.${REQUIRED}[0].labelSelector: ${noSelector}`,
      `spec.affinity.podAntiAffinity.${PREFERRED}[0].podAffinityTerm.labelSelector: ${noSelector}`,
    ],
  ],
  [
    'annotations that became fields',
    inMetadata({
      annotations: {
        'scheduler.alpha.kubernetes.io/critical-pod': '',
        'security.alpha.kubernetes.io/sysctls': 'a=b',
        'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default',
        'container.seccomp.security.alpha.kubernetes.io/main': 'runtime/default',
        'container.seccomp.security.alpha.kubernetes.io/other': 'runtime/default',
      },
    }),
    [
      'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
      'metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/main]: non-functional in v1.27+; use the "seccompProfile" field instead',
    ],
  ],
  [
    'annotations beside their fields',
    (pod) => {
      inMetadata({
        annotations: {
          'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default',
          'container.seccomp.security.alpha.kubernetes.io/main': 'runtime/default',
        },
      })(pod);
      const seccompProfile = { type: 'RuntimeDefault' };
      inSpec({ securityContext: { seccompProfile } })(pod);
      inContainer({ securityContext: { seccompProfile } })(pod);
    },
    [],
  ],
  [
    'volumes of drivers that are no more',
    inSpec({
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', gitRepo: { repository: 'x' } },
        { name: 'c', storageos: {} },
        { name: 'd', cephfs: { monitors: ['x'] } },
      ],
    }),
    [
      'spec.volumes[1].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
      'spec.volumes[2].storageOS: deprecated in v1.22, non-functional in v1.25+',
      'spec.volumes[3].cephfs: deprecated in v1.28, non-functional in v1.31+',
    ],
  ],
  [
    'a claim for a part of a byte',
    volumeOf({
      ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '200m' } } } } },
    }),
    [
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "200m" is invalid, must be an integer',
    ],
  ],
  [
    'files in the way of each other',
    inSpec({
      volumes: [
        { name: 'a', configMap: { name: 'm', items: items('x/y', 'x', 'xy', '', '') } },
        { name: 'b', secret: { secretName: 's', items: items('x', 'x/') } },
        { name: 'c', downwardAPI: { items: items('x', 'x/y/z') } },
      ],
    }),
    [
      'volume "a" (ConfigMap "m"): overlapping paths: "x" with "x/y"',
      'volume "b" (Secret "s"): overlapping paths: "x" with "x"',
      'volume "c" (DownwardAPI): overlapping paths: "x/y/z" with "x"',
    ],
  ],
  [
    'projected files in the way of each other',
    volumeOf({
      projected: {
        sources: [
          {},
          { configMap: { name: 'whole' } },
          { clusterTrustBundle: { signerName: 'example.com/s', path: 'a/b' } },
          { downwardAPI: { items: items('a') } },
          { secret: { name: 's', items: items('a') } },
          {
            podCertificate: { signerName: 'x', keyType: 'ED25519', keyPath: 'k', certificateChainPath: 'k' },
          },
          { serviceAccountToken: { path: 'token' } },
          { configMap: { name: 'm', items: items('token') } },
        ],
      },
    }),
    [
      'volume "v" (Projected) has no sources provided',
      'volume "v" (Projected): overlapping paths: "a" (DownwardAPI) with "a/b" (ClusterTrustBundle "example.com/s")',
      'volume "v" (Projected): overlapping paths: "a" (Secret "s") with "a/b" (ClusterTrustBundle "example.com/s")',
      'volume "v" (Projected): overlapping paths: "a" (Secret "s") with "a" (DownwardAPI)',
      'volume "v" (Projected): overlapping paths: "k" (PodCertificate key) with "k" (PodCertificate chain)',
      'volume "v" (Projected): overlapping paths: "token" (ConfigMap "m") with "token" (ServiceAccountToken)',
    ],
  ],
  [
    'host aliases and pull secrets given twice, and addresses in odd forms',
    inSpec({
      hostAliases: [{ ip: '1.1.1.1' }, { ip: '1.1.1.1' }, { ip: '::ffff:1.2.3.4' }],
      imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}],
      dnsConfig: { nameservers: ['2001:db8::1', '2001:DB8:0:0::2'] },
    }),
    [
      'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"',
      'spec.imagePullSecrets[1].name: duplicate name "a"',
      'spec.imagePullSecrets[2].name: invalid empty name ""',
      'spec.dnsConfig.nameservers[1]: IPv6 address "2001:DB8:0:0::2" should be in RFC 5952 canonical format ("2001:db8::2")',
      'spec.hostAliases[2].ip: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
    ],
  ],
  [
    'parts of bytes',
    (pod) => {
      inSpec({ overhead: { cpu: '1m', memory: '4m' } })(pod);
      inContainer({
        resources: { limits: { memory: '1500m', 'ephemeral-storage': '1.5' }, requests: { memory: '1' } },
      })(pod);
    },
    [
      'spec.overhead[memory]: fractional byte value "4m" is invalid, must be an integer',
      'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.containers[0].resources.limits[ephemeral-storage]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value "1500m" is invalid, must be an integer',
    ],
  ],
  [
    'variables that hide others',
    inContainer({
      env: [
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
        { name: 'a', value: '$(a)' },
        { name: 'a', value: '$(a):3' },
        { name: 'b' },
        { name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
    }),
    [1, 2, 5].map(
      (index) =>
        `spec.containers[0].env[${index}]: hides previous definition of "a", which may be dropped when using apply`,
    ),
  ],
  [
    'ports given twice',
    inSpec({
      initContainers: [container('init', { ports: [{ containerPort: 80, hostIP: '10.0.0.1' }] })],
      containers: [
        container('main', {
          ports: [
            { containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' },
            { containerPort: 80, hostPort: 80 },
            { containerPort: 80, hostPort: 80, protocol: 'UDP' },
          ],
        }),
        container('side', { ports: [{ containerPort: 80, hostPort: 80 }] }),
      ],
    }),
    [
      'spec.initContainers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}',
      'spec.containers[0].ports[0]: overlapping port definition with spec.initContainers[0].ports[0]',
      'spec.containers[0].ports[1]: overlapping port definition with spec.initContainers[0].ports[0]',
      'spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]',
      'spec.containers[1].ports[0]: overlapping port definition with spec.initContainers[0].ports[0]',
      'spec.containers[1].ports[0]: dangerously ambiguous port definition with spec.containers[0].ports[0]',
      'spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[1]',
    ],
  ],
  [
    'one name for two ports',
    inSpec({
      containers: [
        container('main', { ports: [{ name: 'web', containerPort: 80 }] }),
        container('side', { ports: [{ name: 'web', containerPort: 81 }] }),
      ],
    }),
    [
      'spec.containers[1].ports[0]: duplicate port name "web" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  ],
];

for (const [title, change, expected] of warnings)
  test(title, (t) => t.deepEqual(podWarnings(validPod(change)), expected));

test('a template is told the same with its own paths, and of its negative grace period', (t) => {
  const containers = [{ name: 'main', image: 'busybox' }];
  const annotations = { 'container.apparmor.security.beta.kubernetes.io/main': 'unconfined' };
  const volumes: Volume[] = [{ name: 'v', rbd: { monitors: [], image: 'x' } }];
  const spec = { containers, volumes, terminationGracePeriodSeconds: -1 };
  t.deepEqual(podTemplateWarnings({ metadata: { annotations }, spec }, 'template'), [
    'template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/main]: deprecated since v1.30; use the "appArmorProfile" field instead',
    'template.spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+',
    'template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
  ]);
});

test('the addresses of a status', (t) => {
  const status = { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00:0::1' }], hostIPs: [{ ip: '::FFFF:1.2.3.4' }] };
  t.deepEqual(podStatusWarnings({ status } as Pod), [
    'status.podIPs[1].ip: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format ("fd00::1")',
    'status.hostIPs[0].ip: non-standard IP address "::FFFF:1.2.3.4" is invalid: use "1.2.3.4"',
  ]);
});

test('a RuntimeClass that chooses nodes by deprecated labels', (t) => {
  const object = {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'r' },
    scheduling: { nodeSelector: { disk: 'ssd', [arch]: 'amd64' } },
  };
  t.deepEqual(runtimeClass.strategy.warnings?.(object), [`scheduling.nodeSelector: ${archWords}`]);
});
