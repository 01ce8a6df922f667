import { refuses } from './refusals.ts';
import type { Refusal } from './refusals.ts';

/** What is wrong with a Pod, how it comes about, and all that validation says: field, kind of error, words. */
const refusals: Refusal[] = [
  [
    'a name',
    (pod) => void (pod.metadata.name = 'Web_1'),
    [
      "metadata.name: Invalid value: \"Web_1\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
  [
    'no name',
    (pod) => void delete pod.metadata.name,
    ['metadata.name: Required value: name or generateName is required'],
  ],
  [
    'a name prefix',
    (pod) => {
      pod.metadata.generateName = 'Web-';
    },
    [
      "metadata.generateName: Invalid value: \"Web-\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
  ['no namespace', (pod) => void delete pod.metadata.namespace, ['metadata.namespace: Required value']],
  [
    'a namespace',
    (pod) => void (pod.metadata.namespace = 'a.b'),
    ['metadata.namespace: Invalid value: "a.b": must not contain dots'],
  ],
  [
    'labels',
    (pod) => void (pod.metadata.labels = { 'a/b/c': 'x', ok: 'bad value!' }),
    [
      "metadata.labels: Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
      "metadata.labels: Invalid value: \"bad value!\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  ],
  [
    'an annotation',
    (pod) => void (pod.metadata.annotations = { 'bad key': 'x' }),
    [
      "metadata.annotations: Invalid value: \"bad key\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  ],
  [
    'too many annotations',
    (pod) => void (pod.metadata.annotations = { a: 'x'.repeat(262145) }),
    ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  ],
  [
    'finalizers',
    (pod) => void (pod.metadata.finalizers = ['orphan', 'foregroundDeletion', 'bad finalizer']),
    [
      "metadata.finalizers: Invalid value: \"bad finalizer\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion","bad finalizer"]: finalizer orphan and foregroundDeletion cannot be both set',
      'metadata.finalizers[2]: Invalid value: "bad finalizer": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
  [
    'owners',
    (pod) =>
      void (pod.metadata.ownerReferences = [
        { apiVersion: '', kind: '', name: '', uid: '' },
        { apiVersion: 'v1', kind: 'Event', name: 'a', uid: 'b' },
      ]),
    [
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
      'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"b"}: /v1, Kind=Event is disallowed from being an owner',
    ],
  ],
  [
    'two controllers',
    (pod) =>
      void (pod.metadata.ownerReferences = [
        { apiVersion: 'v1', kind: 'A', name: 'a', uid: '1', controller: true },
        { apiVersion: 'v1', kind: 'B', name: 'b', uid: '2', controller: true },
      ]),
    [
      'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"A","name":"a","uid":"1","controller":true},{"apiVersion":"v1","kind":"B","name":"b","uid":"2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for A/a and B/b',
    ],
  ],
  [
    'a mirror without a node',
    (pod) => void (pod.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }),
    [
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    ],
  ],
  [
    'a deletion cost',
    (pod) => void (pod.metadata.annotations = { 'controller.kubernetes.io/pod-deletion-cost': '1.5' }),
    [
      'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "1.5": must be a 32bit integer',
    ],
  ],
];

for (const refusal of refusals) refuses(refusal);
