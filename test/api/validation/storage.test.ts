import { refusesObject } from './objects.ts';
import type { ObjectRefusal } from './objects.ts';

const refusals: ObjectRefusal[] = [
  {
    title: 'a claim for nothing',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {},
      status: {},
    },
    errors: [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ],
  },
  {
    title: 'modes, amount, class and selector of a claim',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['X', 'ReadWriteOncePod', 'ReadWriteOnce'],
        resources: { requests: { storage: '-1' } },
        storageClassName: 'A_',
        volumeMode: 'Y',
        selector: { matchLabels: { 'a b': 'c' } },
      },
      status: {},
    },
    errors: [
      'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      "spec.selector.matchLabels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.resources[storage]: Invalid value: "-1": must be greater than zero',
      "spec.storageClassName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.volumeMode: Unsupported value: "Y": supported values: "Block", "Filesystem"',
    ],
  },
  {
    title: 'a source without a name',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        dataSource: { kind: 'Foo', name: '' },
      },
      status: {},
    },
    errors: [
      'spec.dataSource.name: Required value',
      'spec.dataSource: Invalid value: "Foo": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
    ],
  },
  {
    title: 'two sources that differ',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
        dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' },
      },
      status: {},
    },
    errors: ['spec: Invalid value: {}: must match dataSourceRef'],
  },
  {
    title: 'a reference to a source',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        dataSourceRef: { kind: 'VolumeSnapshot', name: 'b', apiGroup: 'A_', namespace: 'B_' },
      },
      status: {},
    },
    errors: [
      "spec.dataSourceRef.apiGroup: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.dataSourceRef.namespace: Invalid value: \"B_\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  },
  {
    title: 'other access modes',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
      status: {},
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: {},
    },
    errors: [
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -1,6 +1,6 @@\n {\n  "accessModes": [\n-  "ReadWriteOnce"\n+  "ReadWriteMany"\n  ],\n  "resources": {\n   "requests": {\n',
    ],
  },
  {
    title: 'another amount of an unbound claim',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
      status: {},
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: {},
    },
    errors: [
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -4,7 +4,7 @@\n  ],\n  "resources": {\n   "requests": {\n-   "storage": "1Gi"\n+   "storage": "2Gi"\n   }\n  },\n  "volumeMode": "Filesystem"\n',
    ],
  },
  {
    title: 'less than the volume has',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
      status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    },
    errors: ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
  },
  {
    title: 'another volume',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'v' },
      status: {},
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'w' },
      status: {},
    },
    errors: [
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -7,6 +7,6 @@\n    "storage": "1Gi"\n   }\n  },\n- "volumeName": "w",\n+ "volumeName": "v",\n  "volumeMode": "Filesystem"\n }\n',
    ],
  },
  {
    title: 'a class where there was none',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: 'x',
      },
      status: {},
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: {},
    },
    errors: [],
  },
  {
    title: 'another volume mode',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        volumeMode: 'Block',
      },
      status: {},
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: {},
    },
    errors: [
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -7,5 +7,5 @@\n    "storage": "1Gi"\n   }\n  },\n- "volumeMode": "Filesystem"\n+ "volumeMode": "Block"\n }\n',
      'volumeMode: Invalid value: "Block": field is immutable',
    ],
  },
  {
    title: 'another class',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: 'x',
      },
      status: {},
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'default', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: 'y',
      },
      status: {},
    },
    errors: [
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -7,6 +7,6 @@\n    "storage": "1Gi"\n   }\n  },\n- "storageClassName": "y",\n+ "storageClassName": "x",\n  "volumeMode": "Filesystem"\n }\n',
    ],
  },
  {
    title: 'a volume of nothing',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {},
    },
    errors: [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: null: supported values: "storage"',
      'spec: Required value: must specify a volume type',
    ],
  },
  {
    title: 'a capacity',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { cpu: '1', storage: '-1' },
        hostPath: { path: '/x' },
      },
    },
    errors: [
      'spec.capacity: Unsupported value: {"cpu":"1","storage":"-1"}: supported values: "storage"',
      'spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
      'spec.capacity[storage]: Invalid value: "-1": must be greater than zero',
    ],
  },
  {
    title: 'a volume of two sorts',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/a/../b', type: 'X' },
        nfs: { server: 'a', path: '/b' },
        persistentVolumeReclaimPolicy: 'Y',
        volumeMode: 'Z',
        storageClassName: 'A_',
        nodeAffinity: {},
      },
    },
    errors: [
      'spec.persistentVolumeReclaimPolicy: Unsupported value: "Y": supported values: "Delete", "Recycle", "Retain"',
      'spec.nodeAffinity.required: Required value: must specify required node constraints',
      'spec.hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
      'spec.hostPath.type: Unsupported value: "X": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      'spec.nfs: Forbidden: may not specify more than 1 volume type',
      "spec.storageClassName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.volumeMode: Unsupported value: "Z": supported values: "Block", "Filesystem"',
    ],
  },
  {
    title: 'a root directory that would be recycled',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/' },
        persistentVolumeReclaimPolicy: 'Recycle',
      },
    },
    errors: [
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ],
  },
  {
    title: 'a local volume',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: { accessModes: ['X'], capacity: { storage: '1Gi' }, local: { path: '' } },
    },
    errors: [
      'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.local.path: Required value',
      'spec.nodeAffinity: Required value: Local volume requires node affinity',
    ],
  },
  {
    title: 'a CSI volume',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'A_b', volumeHandle: '', nodePublishSecretRef: { name: '', namespace: 'A_' } },
      },
    },
    errors: [
      "spec.csi.driver: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.csi.volumeHandle: Required value',
      'spec.csi.nodePublishSecretRef.name: Required value',
      "spec.csi.nodePublishSecretRef.namespace: Invalid value: \"A_\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  },
  {
    title: 'a local volume on no node',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        local: { path: '/a' },
        nodeAffinity: { required: { nodeSelectorTerms: [] } },
      },
    },
    errors: [
      'spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
  },
  {
    title: 'another path',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/y' } },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } },
    },
    errors: [
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n@@ -1,6 +1,6 @@\n {\n  "hostPath": {\n-  "path": "/x",\n+  "path": "/y",\n   "type": ""\n  }\n }\n',
    ],
  },
  {
    title: 'another mode',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/x' },
        volumeMode: 'Block',
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } },
    },
    errors: ['volumeMode: Invalid value: "Block": field is immutable'],
  },
  {
    title: 'a disk of GCE',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        gcePersistentDisk: { pdName: '', partition: 300 },
      },
    },
    errors: [
      'spec.persistentDisk.pdName: Required value',
      'spec.persistentDisk.partition: Invalid value: 300: must be between 1 and 255, inclusive',
    ],
  },
  {
    title: 'a disk of AWS',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x', resourceVersion: '1' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        awsElasticBlockStore: { volumeID: '' },
      },
    },
    errors: ['spec.awsElasticBlockStore.volumeID: Required value'],
  },
];

for (const refusal of refusals) refusesObject(refusal);

const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'fast', resourceVersion: '1' },
};

refusesObject({
  title: 'a class',
  object: {
    ...storageClass,
    provisioner: 'a b',
    parameters: { '': 'x' },
    reclaimPolicy: 'Recycle',
    volumeBindingMode: 'Later',
    allowedTopologies: [
      {
        matchLabelExpressions: [
          { key: 'zone', values: [] },
          { key: 'zone', values: ['a', 'a'] },
        ],
      },
    ],
  },
  errors: [
    "provisioner: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    'parameters: Invalid value: "": field can not be empty.',
    'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
    'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    'allowedTopologies[0].matchLabelExpressions[0].values: Required value',
    'allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: "a"',
    'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"',
  ],
});

refusesObject({
  title: 'another provisioner of a class',
  object: { ...storageClass, provisioner: 'b.example.com' },
  old: { ...storageClass, provisioner: 'a.example.com' },
  errors: ['provisioner: Invalid value: "b.example.com": field is immutable'],
});
