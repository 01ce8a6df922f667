import { refusesObject } from './objects.ts';
import type { ObjectRefusal } from './objects.ts';

/** What upstream's own validation answers to these objects. */
const refusals: ObjectRefusal[] = [
  {
    title: 'a class other than the annotated',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: 'c',
        namespace: 'default',
        annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' },
        resourceVersion: '1',
        uid: 'u',
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: 'y',
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: 'c',
        namespace: 'default',
        annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' },
        resourceVersion: '1',
        uid: 'u',
      },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    errors: [
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -7,5 +7,6 @@\n    "storage": "1Gi"\n   }\n  },\n- "volumeMode": "Filesystem"\n+ "volumeMode": "Filesystem",\n+ "storageClassName": "y"\n }\n',
    ],
  },
  {
    title: 'what a claim is being given',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c', namespace: 'default', resourceVersion: '1', uid: 'u' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: {
        phase: 'Bound',
        capacity: { storage: '-1' },
        allocatedResources: { storage: '-2', cpu: '1', 'example.com/x': '1' },
        allocatedResourceStatuses: { storage: 'Huh', cpu: 'NodeResizePending' },
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c', namespace: 'default', resourceVersion: '1', uid: 'u' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    subresource: 'status',
    errors: [
      'status.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
      'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
      'status.allocatedResourceStatuses: Unsupported value: "cpu": supported values: "storage"',
      'status.allocatedResources[storage]: Invalid value: -2: must be a valid resource quantity',
      'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"',
    ],
  },
  {
    title: 'a way up to the root',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/../' },
        persistentVolumeReclaimPolicy: 'Recycle',
      },
    },
    errors: [
      'spec.hostPath.path: Invalid value: "/../": must not contain \'..\'',
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ],
  },
  {
    title: 'an iSCSI target',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        iscsi: { targetPortal: '', iqn: 'x', lun: 300 },
      },
    },
    errors: [
      'spec.iscsi.targetPortal: Required value',
      'spec.iscsi.iqn: Invalid value: "x": must be valid format',
      'spec.iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive',
    ],
  },
  {
    title: 'a disk of Azure',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        azureDisk: { diskName: '', diskURI: '' },
      },
    },
    errors: [
      'spec.azureDisk.diskName: Required value',
      'spec.azureDisk.diskURI: Required value',
      'spec.azureDisk.diskURI: Unsupported value: "": supported values: "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
    ],
  },
  {
    title: 'no registry',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        quobyte: { registry: '', volume: '' },
      },
    },
    errors: [
      'spec.quobyte.registry: Required value: must be a host:port pair or multiple pairs separated by commas',
      'spec.quobyte.volume: Required value',
    ],
  },
  {
    title: 'half a secret',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        cinder: { volumeID: '', secretRef: {} },
      },
    },
    errors: [
      'spec.cinder.volumeID: Required value',
      'spec.cinder.secretRef.name: Required value',
      'spec.cinder.secretRef.namespace: Required value',
    ],
  },
  {
    title: 'mount options by annotation',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v', annotations: { 'volume.beta.kubernetes.io/mount-options': 'ro' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.io', volumeHandle: 'h' },
      },
    },
    errors: [
      'metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type',
    ],
  },
  {
    title: 'attributes without a driver',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/x' },
        volumeAttributesClassName: 'A',
      },
    },
    errors: [
      "spec.volumeAttributesClassName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.csi: Required value: has to be specified when using volumeAttributesClassName',
    ],
  },
  {
    title: 'another affinity',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v', resourceVersion: '1', uid: 'u' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.io', volumeHandle: 'h' },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'b', operator: 'Exists' }] }] },
        },
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v', resourceVersion: '1', uid: 'u' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.io', volumeHandle: 'h' },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] },
        },
      },
    },
    errors: [
      'nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[{"MatchExpressions":[{"Key":"b","Operator":"Exists","Values":null}],"MatchFields":null}]}}: field is immutable, except for updating from beta label to GA',
    ],
  },
  {
    title: 'attributes no more',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v', resourceVersion: '1', uid: 'u' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.io', volumeHandle: 'h' },
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v', resourceVersion: '1', uid: 'u' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.io', volumeHandle: 'h' },
        volumeAttributesClassName: 'a',
      },
    },
    errors: ['spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden'],
  },
  {
    title: 'another name',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'other', resourceVersion: '1', uid: 'u' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.io', volumeHandle: 'h' },
      },
    },
    old: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v', resourceVersion: '1', uid: 'u' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.io', volumeHandle: 'h' },
      },
    },
    errors: ['metadata.name: Invalid value: "other": field is immutable'],
  },
];

for (const refusal of refusals) refusesObject(refusal);
