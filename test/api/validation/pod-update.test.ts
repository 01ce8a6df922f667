import test from 'ava';
import { applyDefaults } from '../../../api/defaults/defaults.ts';
import type { Pod } from '../../../api/types.ts';
import { fieldErrorText } from '../../../api/validation/field-error.ts';
import { validateObjectUpdate } from '../../../api/validation/validation.ts';

interface Update {
  title: string;
  subresource?: string;
  old: Omit<Pod, 'status'> & { status?: unknown };
  pod: Omit<Pod, 'status'> & { status?: unknown };
  errors: string[];
}

const updates: Update[] = [
  {
    title: 'nothing',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    errors: [],
  },
  {
    title: 'an image',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'x:1' }] },
    },
    errors: [],
  },
  {
    title: 'no image',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: '' }] },
    },
    errors: ['spec.containers[0].image: Required value', 'spec.containers[0].image: Required value'],
  },
  {
    title: 'one more container',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          { name: 'main', image: 'busybox:1' },
          { name: 'b', image: 'x' },
        ],
      },
    },
    errors: ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  },
  {
    title: 'a command',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1', command: ['x'] }] },
    },
    errors: [
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n@@ -3,6 +3,9 @@\n   {\n    "name": "main",\n    "image": "busybox:1",\n+   "command": [\n+    "x"\n+   ],\n    "imagePullPolicy": "IfNotPresent",\n    "terminationMessagePath": "/dev/termination-log",\n    "terminationMessagePolicy": "File",\n',
    ],
  },
  {
    title: 'a later deadline',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], activeDeadlineSeconds: 10 },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], activeDeadlineSeconds: 20 },
    },
    errors: ['spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value'],
  },
  {
    title: 'no deadline any more',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], activeDeadlineSeconds: 10 },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    errors: [
      'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
    ],
  },
  {
    title: 'a deadline',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], activeDeadlineSeconds: 5 },
    },
    errors: [],
  },
  {
    title: 'a toleration taken away',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], tolerations: [] },
    },
    errors: [
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ],
  },
  {
    title: 'tolerations added',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        tolerations: [
          { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 4 },
          { key: 'b', operator: 'Exists' },
        ],
      },
    },
    errors: [],
  },
  {
    title: 'a gate opened',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        schedulingGates: [{ name: 'a' }, { name: 'b' }],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], schedulingGates: [{ name: 'a' }] },
    },
    errors: [],
  },
  {
    title: 'a gate added',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], schedulingGates: [{ name: 'a' }] },
    },
    errors: [
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'",
    ],
  },
  {
    title: 'a narrower node selector behind a gate',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        schedulingGates: [{ name: 'a' }],
        nodeSelector: { a: 'b' },
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        schedulingGates: [{ name: 'a' }],
        nodeSelector: { a: 'b', c: 'd' },
      },
    },
    errors: [],
  },
  {
    title: 'another node selector behind a gate',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        schedulingGates: [{ name: 'a' }],
        nodeSelector: { a: 'b' },
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        schedulingGates: [{ name: 'a' }],
        nodeSelector: { c: 'd' },
      },
    },
    errors: [
      'spec.nodeSelector: Invalid value: {"c":"d"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    ],
  },
  {
    title: 'a node selector',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], nodeSelector: { a: 'b' } },
    },
    errors: [
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n@@ -9,6 +9,9 @@\n    "resources": {}\n   }\n  ],\n+ "nodeSelector": {\n+  "a": "b"\n+ },\n  "enableServiceLinks": true,\n  "dnsPolicy": "ClusterFirst",\n  "restartPolicy": "Always",\n',
    ],
  },
  {
    title: 'no resource version',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    errors: ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
  },
  {
    title: 'another uid',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1', uid: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1', uid: '2' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    errors: ['metadata.uid: Invalid value: "2": field is immutable'],
  },
  {
    title: 'a mirror annotation',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: {
        name: 'web',
        namespace: 'default',
        resourceVersion: '1',
        annotations: { 'kubernetes.io/config.mirror': 'x' },
      },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    errors: [
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
      'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation',
    ],
  },
  {
    title: 'a finalizer while it is being deleted',
    old: {
      metadata: {
        name: 'web',
        namespace: 'default',
        resourceVersion: '1',
        deletionTimestamp: '2024-01-01T00:00:00Z',
        finalizers: ['a/b'],
      },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: {
        name: 'web',
        namespace: 'default',
        resourceVersion: '1',
        deletionTimestamp: '2024-01-01T00:00:00Z',
        finalizers: ['a/b', 'c/d'],
      },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    errors: [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}',
    ],
  },
  {
    title: 'an ephemeral container',
    subresource: 'ephemeralcontainers',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        ephemeralContainers: [{ name: 'e', image: 'x' }],
      },
    },
    errors: [],
  },
  {
    title: 'an ephemeral container taken away',
    subresource: 'ephemeralcontainers',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        ephemeralContainers: [{ name: 'e', image: 'x' }],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], ephemeralContainers: [] },
    },
    errors: ['spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be removed\n'],
  },
  {
    title: 'an ephemeral container changed',
    subresource: 'ephemeralcontainers',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        ephemeralContainers: [{ name: 'e', image: 'x' }],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        ephemeralContainers: [{ name: 'e', image: 'y' }],
      },
    },
    errors: [
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be changed\n@@ -1,6 +1,6 @@\n {\n  "name": "e",\n- "image": "x",\n+ "image": "y",\n  "imagePullPolicy": "Always",\n  "terminationMessagePath": "/dev/termination-log",\n  "terminationMessagePolicy": "File",\n',
    ],
  },
  {
    title: 'an ephemeral container with what it can not have',
    subresource: 'ephemeralcontainers',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }] },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [{ name: 'main', image: 'busybox:1' }],
        ephemeralContainers: [
          {
            name: 'main',
            image: 'x',
            ports: [{ containerPort: 3 }],
            targetContainerName: 'q',
            volumeMounts: [{ name: 'v', mountPath: '/x', subPath: 'a' }],
          },
        ],
      },
    },
    errors: [
      'spec.ephemeralContainers[0].volumeMounts[0].name: Not found: "v"',
      'spec.ephemeralContainers[0].name: Duplicate value: "main"',
      'spec.ephemeralContainers[0].targetContainerName: Not found: "q"',
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container',
    ],
  },
  {
    title: 'other amounts',
    subresource: 'resize',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
          },
        ],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '600m', memory: '1Gi' } },
          },
        ],
      },
    },
    errors: [],
  },
  {
    title: 'amounts of another class',
    subresource: 'resize',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } },
          },
        ],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } },
          },
        ],
      },
    },
    errors: ['spec: Invalid value: "": Pod QOS Class may not change as a result of resizing'],
  },
  {
    title: 'limits taken away',
    subresource: 'resize',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '1' }, requests: { cpu: '500m' } },
          },
        ],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          { name: 'main', image: 'busybox:1', resources: { limits: {}, requests: { cpu: '500m' } } },
        ],
      },
    },
    errors: ['spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed'],
  },
  {
    title: 'an image by resize',
    subresource: 'resize',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '1' }, requests: { cpu: '500m' } },
          },
        ],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          { name: 'main', image: 'x:1', resources: { limits: { cpu: '1' }, requests: { cpu: '500m' } } },
        ],
      },
    },
    errors: ['spec: Forbidden: only cpu and memory resources are mutable'],
  },
  {
    title: 'amounts of what can not be resized',
    subresource: 'resize',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '1', 'ephemeral-storage': '1' }, requests: { cpu: '500m' } },
          },
        ],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'busybox:1',
            resources: { limits: { cpu: '1', 'ephemeral-storage': '2' }, requests: { cpu: '500m' } },
          },
        ],
      },
    },
    errors: ['spec: Forbidden: only cpu and memory resources are mutable'],
  },
  {
    title: 'a status that goes back',
    subresource: 'status',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], restartPolicy: 'Never' },
      status: {
        qosClass: 'BestEffort',
        containerStatuses: [
          { name: 'main', image: 'x', imageID: 'y', state: { terminated: { exitCode: 0 } } },
        ],
      },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], restartPolicy: 'Never' },
      status: {
        qosClass: 'Burstable',
        containerStatuses: [{ name: 'main', image: 'x', imageID: 'y', state: { running: {} } }],
        conditions: [{ type: 'a b', status: 'True' }],
      },
    },
    errors: [
      "status.conditions[0].Type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'status.qosClass: Invalid value: "Burstable": field is immutable',
      'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
    ],
  },
  {
    title: 'a nominated node when it has one',
    subresource: 'status',
    old: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], nodeName: 'n' },
    },
    pod: {
      metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
      spec: { containers: [{ name: 'main', image: 'busybox:1' }], nodeName: 'n' },
      status: { nominatedNodeName: 'M_' },
    },
    errors: [
      "status.nominatedNodeName: Invalid value: \"M_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node',
    ],
  },
];

function podOf(fields: Update['pod']): Pod {
  const pod = { apiVersion: 'v1', kind: 'Pod', ...structuredClone(fields) } as Pod;
  applyDefaults(pod);
  return pod;
}

for (const { title, subresource, old, pod, errors } of updates)
  test(`a Pod gets ${title}`, (t) => {
    t.deepEqual(validateObjectUpdate(podOf(pod), podOf(old), subresource).map(fieldErrorText), errors);
  });
