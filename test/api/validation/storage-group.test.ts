import { refusesObject } from './objects.ts';
import type { ObjectRefusal } from './objects.ts';

/** What upstream's own validation answers to these objects. */
const refusals: ObjectRefusal[] = [
  {
    title: 'the same topology in another order',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'x' },
      provisioner: 'a.b/c',
      allowedTopologies: [
        {
          matchLabelExpressions: [
            { key: 'a', values: ['x', 'y'] },
            { key: 'b', values: ['z'] },
          ],
        },
        {
          matchLabelExpressions: [
            { key: 'b', values: ['z'] },
            { key: 'a', values: ['y', 'x'] },
          ],
        },
      ],
    },
    errors: ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
  },
  {
    title: 'empty topologies',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'x' },
      provisioner: 'a.b/c',
      allowedTopologies: [{}, {}],
    },
    errors: [
      'allowedTopologies[0].matchLabelExpressions: Duplicate value: ""',
      'allowedTopologies[0].matchLabelExpressions: Duplicate value: ""',
      'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
      'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
      'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
    ],
  },
  {
    title: 'no provisioner',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      provisioner: '',
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      provisioner: 'a.b/c',
    },
    errors: ['provisioner: Required value', 'provisioner: Invalid value: "": field is immutable'],
  },
  {
    title: 'an empty policy',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x' },
      spec: { fsGroupPolicy: '' },
    },
    errors: [
      'spec.fsGroupPolicy: Unsupported value: "": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    ],
  },
  {
    title: 'tokens for a driver',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x' },
      spec: {
        tokenRequests: [
          { audience: 'a', expirationSeconds: 5 },
          { audience: 'a' },
          { audience: 'b', expirationSeconds: 4294967297 },
        ],
      },
    },
    errors: [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      'spec.tokenRequests[2].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ],
  },
  {
    title: 'modes of a driver',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x' },
      spec: { volumeLifecycleModes: ['Ephemeral', 'X'] },
    },
    errors: [
      'spec.volumeLifecycleModes: Unsupported value: "X": supported values: "Persistent", "Ephemeral"',
    ],
  },
  {
    title: 'a place for tokens that are not asked for',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x' },
      spec: { serviceAccountTokenInSecrets: false },
    },
    errors: [
      'spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    ],
  },
  {
    title: 'a short period',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x' },
      spec: { nodeAllocatableUpdatePeriodSeconds: 5 },
    },
    errors: [
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 5: must be greater than or equal to 10 seconds',
    ],
  },
  {
    title: 'attaching',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { attachRequired: false },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: {},
    },
    errors: ['spec.attachedRequired: Invalid value: false: field is immutable'],
  },
  {
    title: 'other modes',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { volumeLifecycleModes: ['Ephemeral'] },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: {},
    },
    errors: ['spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable'],
  },
  {
    title: 'drivers of a node',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: 'x' },
      spec: {
        drivers: [
          { name: '', nodeID: '', topologyKeys: ['', 'a b', 'c', 'c'], allocatable: { count: -1 } },
          {
            name: 'x',
            nodeID:
              'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
          },
          { name: 'x', nodeID: 'y' },
        ],
      },
    },
    errors: [
      'spec.drivers[0].name: Required value',
      'spec.drivers[0].nodeID: Required value',
      'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[0]: Required value',
      'spec.drivers[0]: Invalid value: "": name part must be non-empty',
      "spec.drivers[0]: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "spec.drivers[0]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.drivers[0]: Duplicate value: "c"',
      'spec.drivers[1].nodeID: Invalid value: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": must be 256 characters or less',
      'spec.drivers[2].name: Duplicate value: "x"',
    ],
  },
  {
    title: 'another id',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { drivers: [{ name: 'a', nodeID: 'c', topologyKeys: [] }] },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { drivers: [{ name: 'a', nodeID: 'b', topologyKeys: [] }] },
    },
    errors: [
      'spec.drivers: Invalid value: {"Name":"a","NodeID":"c","TopologyKeys":[],"Allocatable":null}: field is immutable',
    ],
  },
  {
    title: 'an attachment of nothing',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x' },
      spec: { attacher: 'd.io', nodeName: 'n', source: {} },
    },
    errors: [
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
  },
  {
    title: 'an attachment of two volumes',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x' },
      spec: {
        attacher: 'd.io',
        nodeName: 'n',
        source: {
          persistentVolumeName: 'v',
          inlineVolumeSpec: {
            accessModes: ['ReadWriteOnce'],
            capacity: { storage: '1Gi' },
            csi: { driver: 'd.io', volumeHandle: 'h' },
          },
        },
      },
    },
    errors: ['spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  },
  {
    title: 'a long attacher',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x' },
      spec: {
        attacher: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
        nodeName: 'n',
        source: { persistentVolumeName: 'v' },
      },
    },
    errors: ['spec.attacher: Too long: may not be more than 63 bytes'],
  },
  {
    title: 'a wrong node',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x' },
      spec: { attacher: 'd.io', nodeName: 'A_', source: { persistentVolumeName: 'v' } },
    },
    errors: [
      "spec.nodeName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    title: 'an inline volume with what claims have',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x' },
      spec: {
        attacher: 'd.io',
        nodeName: 'n',
        source: {
          inlineVolumeSpec: {
            accessModes: ['ReadWriteOnce'],
            capacity: { storage: '1Gi' },
            csi: { driver: 'd.io', volumeHandle: 'h' },
            claimRef: { name: 'x' },
            persistentVolumeReclaimPolicy: 'Delete',
            storageClassName: 'x',
            volumeMode: 'Block',
            nodeAffinity: {},
            volumeAttributesClassName: 'A',
          },
        },
      },
    },
    errors: [
      'spec.source.inlineVolumeSpec.claimRef: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes',
      'spec.source.inlineVolumeSpec.nodeAffinity: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.storageClassName: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes',
    ],
  },
  {
    title: 'an empty inline volume',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x' },
      spec: { attacher: 'd.io', nodeName: 'n', source: { inlineVolumeSpec: {} } },
    },
    errors: [
      'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.accessModes: Required value',
      'spec.source.inlineVolumeSpec: Required value: must specify a volume type',
    ],
  },
  {
    title: 'another node of an attachment',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { attacher: 'd.io', nodeName: 'm', source: { persistentVolumeName: 'v' } },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { attacher: 'd.io', nodeName: 'n', source: { persistentVolumeName: 'v' } },
    },
    errors: [
      'spec: Invalid value: {"Attacher":"d.io","Source":{"PersistentVolumeName":"v","InlineVolumeSpec":null},"NodeName":"m"}: field is immutable',
    ],
  },
  {
    title: 'a wrong error',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { attacher: 'd.io', nodeName: 'n', source: { persistentVolumeName: 'v' } },
      status: {
        attached: false,
        attachError: {
          message:
            'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
          time: '2020-01-01T00:00:00Z',
          errorCode: -1,
        },
      },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      spec: { attacher: 'd.io', nodeName: 'n', source: { persistentVolumeName: 'v' } },
    },
    subresource: 'status',
    errors: [
      'status.attachError.message: Too long: may not be more than 262144 bytes',
      'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
  },
  {
    title: 'a capacity of a wrong class',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIStorageCapacity',
      metadata: { name: 'x', namespace: 'default' },
      storageClassName: 'A',
    },
    errors: [
      "storageClassName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    title: 'less than nothing',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIStorageCapacity',
      metadata: { name: 'x', namespace: 'default' },
      storageClassName: 's',
      capacity: '-1',
    },
    errors: ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
  },
  {
    title: 'another class of a capacity',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIStorageCapacity',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1', uid: 'u' },
      storageClassName: 't',
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIStorageCapacity',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1', uid: 'u' },
      storageClassName: 's',
    },
    errors: ['storageClassName: Invalid value: "t": field is immutable'],
  },
  {
    title: 'another topology of a capacity',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIStorageCapacity',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1', uid: 'u' },
      storageClassName: 's',
      nodeTopology: { matchLabels: { a: 'c' } },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIStorageCapacity',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1', uid: 'u' },
      storageClassName: 's',
      nodeTopology: { matchLabels: { a: 'b' } },
    },
    errors: ['nodeTopology: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable'],
  },
  {
    title: 'a class of attributes without any',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'x' },
      driverName: 'd.io',
    },
    errors: ['parameters: Required value: must contain at least one key/value pair'],
  },
  {
    title: 'another driver of a class',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      driverName: 'e.io',
      parameters: { a: 'b' },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      driverName: 'd.io',
      parameters: { a: 'b' },
    },
    errors: ['driverName: Forbidden: updates to driverName are forbidden.'],
  },
  {
    title: 'other parameters of a class',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      driverName: 'd.io',
      parameters: { a: 'c' },
    },
    old: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'x', resourceVersion: '1', uid: 'u' },
      driverName: 'd.io',
      parameters: { a: 'b' },
    },
    errors: ['parameters: Forbidden: updates to parameters are forbidden.'],
  },
];

for (const refusal of refusals) refusesObject(refusal);
