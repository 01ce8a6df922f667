import { refuses } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { inSpec } from './refusals.ts';
import { volumeOf } from './refusals.ts';

/** What is wrong with a Pod, how it comes about, and all that validation says: field, kind of error, words. */
const refusals: Refusal[] = [
  [
    'names',
    inSpec({
      volumes: [
        { name: '', emptyDir: {} },
        { name: 'A', emptyDir: {} },
        { name: 'a', emptyDir: {} },
        { name: 'a', emptyDir: {} },
      ],
    }),
    [
      'spec.volumes[0].name: Required value',
      "spec.volumes[1].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.volumes[3].name: Duplicate value: "a"',
    ],
  ],
  [
    'two sources',
    volumeOf({ emptyDir: {}, hostPath: { path: '/x' } }),
    ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'emptyDir',
    volumeOf({ emptyDir: { sizeLimit: '-1' } }),
    ['spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity'],
  ],
  [
    'hostPath',
    volumeOf({ hostPath: { path: '/a/../b', type: 'Foo' } }),
    [
      'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
      'spec.volumes[0].hostPath.type: Unsupported value: "Foo": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
    ],
  ],
  [
    'hostPath without a path',
    volumeOf({ hostPath: { path: '' } }),
    ['spec.volumes[0].hostPath.path: Required value'],
  ],
  [
    'gitRepo',
    volumeOf({ gitRepo: { repository: '', directory: '/abs' } }),
    [
      'spec.volumes[0].gitRepo.repository: Required value',
      'spec.volumes[0].gitRepo.directory: Invalid value: "/abs": must be a relative path',
    ],
  ],
  [
    'gitRepo that leaves its folder',
    volumeOf({ gitRepo: { repository: 'x', directory: '../a' } }),
    ['spec.volumes[0].gitRepo.directory: Invalid value: "../a": must not contain \'..\''],
  ],
  [
    'gcePersistentDisk',
    volumeOf({ gcePersistentDisk: { pdName: '', partition: 300 } }),
    [
      'spec.volumes[0].persistentDisk.pdName: Required value',
      'spec.volumes[0].persistentDisk.partition: Invalid value: 300: must be between 1 and 255, inclusive',
    ],
  ],
  [
    'awsElasticBlockStore',
    volumeOf({ awsElasticBlockStore: { volumeID: '', partition: -1 } }),
    [
      'spec.volumes[0].awsElasticBlockStore.volumeID: Required value',
      'spec.volumes[0].awsElasticBlockStore.partition: Invalid value: -1: must be between 1 and 255, inclusive',
    ],
  ],
  [
    'secret',
    volumeOf({
      secret: {
        secretName: '',
        defaultMode: 0o1000,
        items: [
          { key: '', path: '' },
          { key: 'a', path: '..x' },
          { key: 'a', path: '..' },
          { key: 'a', path: 'a/../b', mode: -1 },
          { key: 'a', path: '/abs' },
        ],
      },
    }),
    [
      'spec.volumes[0].secret.secretName: Required value',
      'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      'spec.volumes[0].secret.items[0].key: Required value',
      'spec.volumes[0].secret.items[0].path: Required value',
      'spec.volumes[0].secret.items[1].path: Invalid value: "..x": must not start with \'..\'',
      'spec.volumes[0].secret.items[2].path: Invalid value: "..": must not contain \'..\'',
      'spec.volumes[0].secret.items[2].path: Invalid value: "..": must not start with \'..\'',
      'spec.volumes[0].secret.items[3].path: Invalid value: "a/../b": must not contain \'..\'',
      'spec.volumes[0].secret.items[3].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive',
      'spec.volumes[0].secret.items[4].path: Invalid value: "/abs": must be a relative path',
    ],
  ],
  [
    'configMap',
    volumeOf({ configMap: { name: '', defaultMode: -1 } }),
    [
      'spec.volumes[0].configMap.name: Required value',
      'spec.volumes[0].configMap.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive',
    ],
  ],
  [
    'nfs',
    volumeOf({ nfs: { server: '', path: '' } }),
    [
      'spec.volumes[0].nfs.server: Required value',
      'spec.volumes[0].nfs.path: Required value',
      'spec.volumes[0].nfs.path: Invalid value: "": must be an absolute path',
    ],
  ],
  [
    'nfs with a relative path',
    volumeOf({ nfs: { server: 'a', path: 'rel' } }),
    ['spec.volumes[0].nfs.path: Invalid value: "rel": must be an absolute path'],
  ],
  [
    'persistentVolumeClaim',
    volumeOf({ persistentVolumeClaim: { claimName: '' } }),
    ['spec.volumes[0].persistentVolumeClaim.claimName: Required value'],
  ],
  [
    'downwardAPI',
    volumeOf({
      downwardAPI: {
        defaultMode: 600,
        items: [
          { path: 'a' },
          { path: '../b', fieldRef: { fieldPath: 'spec.nodeName' } },
          { path: 'c', resourceFieldRef: { resource: 'limits.cpu' } },
          {
            path: 'd',
            fieldRef: { fieldPath: 'metadata.name' },
            resourceFieldRef: { resource: 'limits.cpu', containerName: 'main' },
          },
        ],
      },
    }),
    [
      'spec.volumes[0].downwardAPI.defaultMode: Invalid value: 600: must be a number between 0 and 0777 (octal), both inclusive',
      'spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
      'spec.volumes[0].downwardAPI.path: Invalid value: "../b": must not contain \'..\'',
      'spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
      'spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value',
      'spec.volumes[0].downwardAPI: Invalid value: "resource": fieldRef and resourceFieldRef can not be specified simultaneously',
    ],
  ],
  [
    'projected',
    (pod) => {
      pod.spec.volumes = [
        {
          name: 'v',
          projected: {
            defaultMode: -1,
            sources: [
              { secret: { name: '', items: [{ key: 'a', path: 'x' }] } },
              { configMap: { name: 'c', items: [{ key: 'a', path: 'x' }] } },
              { downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name' } }] } },
              { serviceAccountToken: { path: '', expirationSeconds: 5 } },
              { serviceAccountToken: { path: 'x', expirationSeconds: 9999999999 } },
              { secret: { name: 's' }, configMap: { name: 'c' } },
            ],
          },
        },
      ];
    },
    [
      'spec.volumes[0].projected.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive',
      'spec.volumes[0].projected.sources[0].secret.name: Required value',
      'spec.volumes[0].projected: Invalid value: "c": conflicting duplicate paths',
      'spec.volumes[0].projected: Invalid value: "x": conflicting duplicate paths',
      'spec.volumes[0].projected.sources[3].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.volumes[0].projected.path: Required value',
      'spec.volumes[0].projected.sources[4].serviceAccountToken.expirationSeconds: Invalid value: 9999999999: may not specify a duration larger than 2^32 seconds',
      'spec.volumes[0].projected: Invalid value: "x": conflicting duplicate paths',
      'spec.volumes[0].projected.sources[5]: Forbidden: may not specify more than 1 volume type per source',
      'spec.volumes[0].projected.sources[3].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
      'spec.volumes[0].projected.sources[4].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
  ],
  [
    'csi',
    volumeOf({ csi: { driver: 'Bad_Driver', nodePublishSecretRef: { name: '' } } }),
    [
      "spec.volumes[0].csi.driver: Invalid value: \"Bad_Driver\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.volumes[0].csi.nodePublishSecretRef.name: Required value',
    ],
  ],
  ['csi without a driver', volumeOf({ csi: { driver: '' } }), ['spec.volumes[0].csi.driver: Required value']],
  [
    'csi with a long name',
    volumeOf({ csi: { driver: 'x'.repeat(64), nodePublishSecretRef: { name: 'A_' } } }),
    [
      'spec.volumes[0].csi.driver: Too long: may not be more than 63 bytes',
      "spec.volumes[0].csi.name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
  [
    'ephemeral',
    volumeOf({ ephemeral: {} }),
    ['spec.volumes[0].ephemeral.volumeClaimTemplate: Required value'],
  ],
  [
    'ephemeral with a claim',
    (pod) => {
      pod.spec.volumes = [
        {
          name: 'v',
          ephemeral: {
            volumeClaimTemplate: { metadata: { name: 'x' }, spec: { accessModes: ['X'], volumeMode: 'Y' } },
          },
        },
        { name: 'w', persistentVolumeClaim: { claimName: 'web-v' } },
      ];
    },
    [
      'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.volumeMode: Unsupported value: "Y": supported values: "Block", "Filesystem"',
      'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "web-v": must not reference a PVC that gets created for an ephemeral volume',
    ],
  ],
  [
    'image',
    volumeOf({ image: { reference: '', pullPolicy: 'X' } }),
    [
      'spec.volumes[0].image.reference: Required value',
      'spec.volumes[0].image.pullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
    ],
  ],
  [
    'iscsi',
    volumeOf({ iscsi: { targetPortal: '', iqn: '' } }),
    ['spec.volumes[0].iscsi.targetPortal: Required value', 'spec.volumes[0].iscsi.iqn: Required value'],
  ],
  [
    'fc',
    volumeOf({ fc: {} }),
    ['spec.volumes[0].fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both'],
  ],
  [
    'flocker',
    volumeOf({ flocker: {} }),
    ['spec.volumes[0].flocker: Required value: one of datasetName and datasetUUID is required'],
  ],
];

for (const refusal of refusals) refuses(refusal);
