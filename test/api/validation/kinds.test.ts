import test from 'ava';
import { applyDefaults } from '../../../api/defaults/defaults.ts';
import type { KubernetesObject } from '../../../api/types.ts';
import { fieldErrorText } from '../../../api/validation/field-error.ts';
import { hasValidator, validateObject, validateObjectUpdate } from '../../../api/validation/validation.ts';

interface Refusal {
  title: string;
  object: KubernetesObject & Record<string, unknown>;
  /** What it was before; without it, the object is new. */
  old?: KubernetesObject & Record<string, unknown>;
  errors: string[];
}

const refusals: Refusal[] = [
  {
    title: 'keys of a ConfigMap',
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      data: { 'a/b': 'x', '..': '', d: 'x' },
      binaryData: { d: 'AAAA', '..e': 'AA==' },
    },
    errors: [
      "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      'data[..]: Invalid value: "..": must not be \'..\'',
      'data[d]: Invalid value: "d": duplicate of key present in binaryData',
      'binaryData[..e]: Invalid value: "..e": must not start with \'..\'',
    ],
  },
  {
    title: 'a ConfigMap of more than a mebibyte',
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      data: { a: 'x'.repeat(1024 * 1024 + 1) },
    },
    errors: ['[]: Too long: may not be more than 1048576 bytes'],
  },
  {
    title: 'an immutable ConfigMap',
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      data: { a: '2' },
    },
    old: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      immutable: true,
      data: { a: '1' },
      binaryData: { b: 'AAAA' },
    },
    errors: [
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
      'binaryData: Forbidden: field is immutable when `immutable` is set',
    ],
  },
  {
    title: 'a TLS Secret without its files',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      type: 'kubernetes.io/tls',
      data: { 'a b': 'AAAA' },
    },
    errors: [
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      'data[tls.crt]: Required value',
      'data[tls.key]: Required value',
    ],
  },
  {
    title: 'a basic-auth Secret without its keys',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      type: 'kubernetes.io/basic-auth',
    },
    errors: ['data[username]: Required value', 'data[password]: Required value'],
  },
  {
    title: 'an SSH Secret without its key',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      type: 'kubernetes.io/ssh-auth',
    },
    errors: ['data[ssh-privatekey]: Required value'],
  },
  {
    title: 'a token without an account',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      type: 'kubernetes.io/service-account-token',
    },
    errors: ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  },
  {
    title: 'registry credentials that are missing',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      type: 'kubernetes.io/dockerconfigjson',
      data: {},
    },
    errors: ['data[.dockerconfigjson]: Required value'],
  },
  {
    title: 'the type of an immutable Secret',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      type: 'b',
    },
    old: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      type: 'a',
      immutable: true,
    },
    errors: [
      'type: Invalid value: "b": field is immutable',
      'immutable: Forbidden: field is immutable when `immutable` is set',
    ],
  },
  {
    title: 'a Namespace',
    object: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'a.b' },
      spec: { finalizers: ['foo', 'a b'] },
    },
    errors: [
      'metadata.name: Invalid value: "a.b": must not contain dots',
      'spec.finalizers: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
      "spec.finalizers: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.finalizers: Invalid value: "a b": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
  {
    title: 'a Namespace in a namespace',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', namespace: 'b' } },
    errors: ['metadata.namespace: Forbidden: not allowed on this type'],
  },
  {
    title: 'a changed Node',
    object: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n', resourceVersion: '1' },
      spec: { podCIDRs: ['10.0.1.0/24'], providerID: 'b' },
      status: {
        addresses: [
          { type: 'InternalIP', address: '1' },
          { type: 'InternalIP', address: '1' },
        ],
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n', resourceVersion: '1' },
      spec: { podCIDRs: ['10.0.0.0/24'], providerID: 'a' },
    },
    errors: [
      'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1"}',
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ],
  },
  {
    title: 'a ServiceAccount',
    object: {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'A_', namespace: 'default', resourceVersion: '1' },
    },
    errors: [
      "metadata.name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    title: 'an Event of another namespace',
    object: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      involvedObject: { namespace: 'other' },
    },
    errors: ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
  },
  {
    title: 'an Event of the new sort',
    object: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      involvedObject: { namespace: 'default' },
      eventTime: '2024-01-01T00:00:00.000000Z',
    },
    errors: [
      'reportingComponent: Required value',
      'reportingComponent: Invalid value: "": name part must be non-empty',
      "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
    ],
  },
  {
    title: 'a Lease',
    object: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { leaseDurationSeconds: 0, leaseTransitions: -1, preferredHolder: 'x' },
    },
    errors: [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
      'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
    ],
  },
  {
    title: 'the strategy of a Lease',
    object: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { strategy: 'Foo' },
    },
    errors: ['spec.strategy.strategy: Unsupported value: "Foo": supported values: "OldestEmulationVersion"'],
  },
  {
    title: 'a Role',
    object: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'a/b', namespace: 'default', resourceVersion: '1' },
      rules: [
        {},
        { verbs: ['get'], nonResourceURLs: ['/x'], resources: ['a'] },
        { verbs: ['get'], apiGroups: [''] },
      ],
    },
    errors: [
      'metadata.name: Invalid value: "a/b": may not contain \'/\'',
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
      'rules[1].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
      'rules[1].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      'rules[2].resources: Required value: resource rules must supply at least one resource',
    ],
  },
  {
    title: 'a ClusterRole',
    object: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: '..' },
      aggregationRule: {},
      rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
    },
    errors: [
      'metadata.name: Invalid value: "..": may not be \'..\'',
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  },
  {
    title: 'a RoleBinding',
    object: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      roleRef: { apiGroup: 'x', kind: 'Foo', name: '' },
      subjects: [
        { kind: 'User', name: '' },
        { kind: 'ServiceAccount', name: 'A_', apiGroup: 'x' },
        { kind: 'Bar', name: 'b' },
      ],
    },
    errors: [
      'roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
      'roleRef.kind: Unsupported value: "Foo": supported values: "Role", "ClusterRole"',
      'roleRef.name: Required value',
      'subjects[0].name: Required value',
      "subjects[1].name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'subjects[1].apiGroup: Unsupported value: "x": supported values: ""',
      'subjects[2].kind: Unsupported value: "Bar": supported values: "ServiceAccount", "User", "Group"',
    ],
  },
  {
    title: 'a ClusterRoleBinding',
    object: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'a' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a%b' },
      subjects: [
        { kind: 'ServiceAccount', name: 'a' },
        { kind: 'Group', name: 'g', apiGroup: 'x' },
      ],
    },
    errors: [
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'roleRef.name: Invalid value: "a%b": may not contain \'%\'',
      'subjects[0].namespace: Required value',
      'subjects[1].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
    ],
  },
  {
    title: 'the amounts of a LimitRange',
    object: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '1', memory: '1Gi' },
            min: { cpu: '2' },
            default: { cpu: '3' },
            defaultRequest: { cpu: '4' },
            maxLimitRequestRatio: { cpu: '0.5' },
          },
        ],
      },
    },
    errors: [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than default limit value 3',
      'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
    ],
  },
  {
    title: 'the types of a LimitRange',
    object: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        limits: [
          { type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' }, max: { foo: '1' } },
          { type: 'Pod' },
          { type: 'Bad' },
          { type: 'PersistentVolumeClaim', max: { cpu: '1' } },
        ],
      },
    },
    errors: [
      'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource for containers',
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
      'spec.limits[1].type: Duplicate value: "Pod"',
      'spec.limits[2].type: Invalid value: "Bad": must be a standard limit type or fully qualified',
      'spec.limits[3].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
  },
  {
    title: 'the ratios of a LimitRange',
    object: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        limits: [
          { type: 'Container', max: { cpu: '4' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '10' } },
          { type: 'a/b', default: { 'example.com/x': '2' }, defaultRequest: { 'example.com/x': '1' } },
        ],
      },
    },
    errors: [
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "10": ratio 10 is greater than max/min = 4.000000',
      'spec.limits[1].defaultRequest[example.com/x]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/x',
    ],
  },
  {
    title: 'other scopes of a ResourceQuota',
    object: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { hard: { pods: '1' }, scopes: ['BestEffort'] },
    },
    old: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { hard: { pods: '1' } },
    },
    errors: ['spec.scopes: Invalid value: ["BestEffort"]: field is immutable'],
  },
  {
    title: 'a Service without ports',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
    },
    errors: ['spec.ports: Required value'],
  },
  {
    title: 'the ports of a Service',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [
          { port: 0 },
          { port: 80, name: 'A', protocol: 'X', targetPort: 'bad_name', appProtocol: 'a b' },
          { port: 80, name: 'b' },
          { port: 80, name: 'b' },
        ],
      },
    },
    errors: [
      'spec.ports[0].name: Required value',
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      "spec.ports[1].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[1].targetPort: Invalid value: "bad_name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      "spec.ports[1].appProtocol: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.ports[3].name: Duplicate value: "b"',
      'spec.ports[3]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
  },
  {
    title: 'a headless NodePort',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        clusterIP: 'None',
        clusterIPs: ['None'],
        type: 'NodePort',
        ports: [{ port: 80 }],
      },
    },
    errors: ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
  },
  {
    title: 'the type of a Service',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        type: 'Foo',
        sessionAffinity: 'Bar',
        ports: [{ port: 80 }],
      },
    },
    errors: [
      'spec.sessionAffinity: Unsupported value: "Bar": supported values: "ClientIP", "None"',
      'spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  },
  {
    title: 'an ExternalName',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { type: 'ExternalName', externalName: 'A_b' },
    },
    errors: [
      "spec.externalName: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    title: 'an ExternalName with addresses',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { type: 'ExternalName', clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.4'], ipFamilies: ['IPv4'] },
    },
    errors: [
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.externalName: Required value',
    ],
  },
  {
    title: 'node ports and policies',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        type: 'NodePort',
        ports: [
          { port: 80, nodePort: 30000, name: 'a' },
          { port: 81, nodePort: 30000, name: 'b' },
        ],
        externalTrafficPolicy: 'X',
        internalTrafficPolicy: 'Y',
        trafficDistribution: 'Z',
      },
    },
    errors: [
      'spec.ports[1].nodePort: Duplicate value: 30000',
      'spec.externalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
      'spec.internalTrafficPolicy: Unsupported value: "Y": supported values: "Cluster", "Local"',
      'spec.trafficDistribution: Unsupported value: "Z": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
    ],
  },
  {
    title: 'another cluster IP',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [{ port: 80 }],
        clusterIP: '10.0.0.2',
        clusterIPs: ['10.0.0.2'],
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [{ port: 80 }],
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
      },
    },
    errors: ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
  },
  {
    title: 'a cluster IP',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
        ports: [{ port: 80 }],
        clusterIP: 'bad',
        clusterIPs: ['bad'],
      },
    },
    errors: [
      'spec.clusterIPs[0]: Invalid value: "bad": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  },
  {
    title: 'a PriorityClass of the system',
    object: {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'system-mine' },
      value: 1,
    },
    errors: [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
    ],
  },
  {
    title: 'too high a priority',
    object: {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 2000000000,
      preemptionPolicy: 'X',
    },
    errors: [
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
      'preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
    ],
  },
];

const clusterKinds = new Set(['Namespace', 'Node', 'ClusterRole', 'ClusterRoleBinding', 'PriorityClass']);

function defaulted<T extends KubernetesObject>(object: T): T {
  const copy = structuredClone(object);
  applyDefaults(copy);
  return copy;
}

for (const { title, object, old, errors } of refusals)
  test(title, (t) => {
    const namespaced = !clusterKinds.has(object.kind ?? '');
    const found =
      old === undefined
        ? validateObject(defaulted(object), { namespaced })
        : validateObjectUpdate(defaulted(object), defaulted(old));
    t.deepEqual(found.map(fieldErrorText), errors);
  });

test('of a kind without rules of its own the metadata are checked', (t) => {
  const thing = {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'A', namespace: 'default' },
  };
  t.false(hasValidator(thing));
  t.is(validateObject(thing, { namespaced: true })[0]?.field, 'metadata.name');
  t.is(validateObject(thing, { namespaced: false })[1]?.message, 'Forbidden: not allowed on this type');
});

test('the bytes of a Secret are in no message', (t) => {
  const data = { '.dockerconfigjson': Buffer.from('hunter2').toString('base64') };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    metadata: { name: 's', namespace: 'n' },
    data,
  };
  const [error] = validateObject(secret, { namespaced: true });
  t.is(error?.field, 'data[.dockerconfigjson]');
  t.false(error?.message.includes('hunter2'));
});
