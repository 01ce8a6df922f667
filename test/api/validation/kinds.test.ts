import test from 'ava';
import { validateObject } from '../../../api/validation/validation.ts';
import { refusesObject } from './objects.ts';
import type { ObjectRefusal } from './objects.ts';

const seriesEvent = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
  regarding: { namespace: 'default' },
  eventTime: '2024-01-01T00:00:00.000000Z',
  reportingController: 'a',
  reportingInstance: 'b',
  action: 'c',
  reason: 'd',
  type: 'Normal',
};

const refusals: ObjectRefusal[] = [
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
    title: 'an Event of events.k8s.io, of which only the series grows',
    object: {
      ...seriesEvent,
      deprecatedCount: 3,
      deprecatedSource: { component: 'x' },
      deprecatedFirstTimestamp: '2024-01-01T00:00:00Z',
      note: 'other',
      series: { count: 1 },
    },
    old: seriesEvent,
    errors: [
      'series.count: Invalid value: "": should be at least 2',
      'series.lastObservedTime: Required value',
      'message: Invalid value: "other": field is immutable',
      'source: Invalid value: {"component":"x"}: field is immutable',
      'firstTimestamp: Invalid value: "2024-01-01T00:00:00Z": field is immutable',
      'count: Invalid value: 3: field is immutable',
    ],
  },
  {
    title:
      'an Event of events.k8s.io whose series is as it was, with the empty source that clients of Go send',
    object: { ...seriesEvent, series: { count: 1 }, deprecatedSource: {} },
    old: { ...seriesEvent, series: { count: 1 } },
    errors: [],
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
];

for (const refusal of refusals) refusesObject(refusal);

test('of a kind without rules of its own the metadata are checked', (t) => {
  const thing = {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'A', namespace: 'default' },
  };
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
