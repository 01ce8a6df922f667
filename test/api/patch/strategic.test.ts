import test from 'ava';
import { applyStrategicMergePatch, StrategicMergeError } from '../../../api/patch/strategic.ts';

const pod = { group: '', version: 'v1', kind: 'Pod' };
const deployment = { group: 'apps', version: 'v1', kind: 'Deployment' };
const spec = (containers: unknown[], rest: object = {}) => ({ spec: { containers, ...rest } });

type Case = [title: string, original: unknown, patch: unknown, expected: unknown];

const cases: Case[] = [
  [
    'maps merge and null removes',
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { a: null, c: '3' } } },
    { metadata: { labels: { b: '2', c: '3' } } },
  ],
  [
    'items with the same key merge',
    spec([{ name: 'a', image: 'x' }, { name: 'b' }]),
    spec([{ name: 'b', image: 'y' }]),
    spec([
      { name: 'a', image: 'x' },
      { name: 'b', image: 'y' },
    ]),
  ],
  [
    'new items come before those that only the server has',
    spec([{ name: 'a' }]),
    spec([{ name: 'b' }]),
    spec([{ name: 'b' }, { name: 'a' }]),
  ],
  [
    'nested lists merge by their own keys',
    spec([
      {
        name: 'a',
        env: [
          { name: 'X', value: '1' },
          { name: 'Y', value: '2' },
        ],
      },
    ]),
    spec([{ name: 'a', env: [{ name: 'Y', value: '3' }] }]),
    spec([
      {
        name: 'a',
        env: [
          { name: 'X', value: '1' },
          { name: 'Y', value: '3' },
        ],
      },
    ]),
  ],
  [
    'ports merge by containerPort, mounts by mountPath',
    spec([{ name: 'a', ports: [{ containerPort: 80 }], volumeMounts: [{ mountPath: '/x', name: 'v' }] }]),
    spec([
      {
        name: 'a',
        ports: [{ containerPort: 80, name: 'http' }],
        volumeMounts: [{ mountPath: '/y', name: 'v' }],
      },
    ]),
    spec([
      {
        name: 'a',
        ports: [{ containerPort: 80, name: 'http' }],
        volumeMounts: [
          { mountPath: '/y', name: 'v' },
          { mountPath: '/x', name: 'v' },
        ],
      },
    ]),
  ],
  [
    'lists without a merge key are replaced',
    spec([{ name: 'a', args: ['1', '2'] }]),
    spec([{ name: 'a', args: ['3'] }]),
    spec([{ name: 'a', args: ['3'] }]),
  ],
  [
    '$patch: delete removes an item',
    spec([{ name: 'a' }, { name: 'b' }]),
    spec([{ name: 'a', $patch: 'delete' }]),
    spec([{ name: 'b' }]),
  ],
  [
    '$patch: replace in a list replaces the list',
    spec([{ name: 'a' }, { name: 'b' }]),
    spec([{ name: 'c' }, { $patch: 'replace' }]),
    spec([{ name: 'c' }]),
  ],
  [
    '$patch: replace in a map replaces the map',
    { metadata: { labels: { a: '1' }, name: 'x' } },
    { metadata: { labels: { $patch: 'replace', b: '2' } } },
    { metadata: { labels: { b: '2' }, name: 'x' } },
  ],
  [
    '$patch: delete in a map empties it',
    { metadata: { labels: { a: '1' } } },
    { metadata: { labels: { $patch: 'delete' } } },
    { metadata: { labels: {} } },
  ],
  [
    '$deleteFromPrimitiveList removes values',
    { metadata: { finalizers: ['a', 'b', 'c'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'] } },
    { metadata: { finalizers: ['a', 'c'] } },
  ],
  [
    'scalars of a merging list are united',
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { finalizers: ['b', 'c'] } },
    { metadata: { finalizers: ['a', 'b', 'c'] } },
  ],
  [
    '$setElementOrder orders the items',
    spec([{ name: 'a' }, { name: 'b' }]),
    { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
    spec([{ name: 'b' }, { name: 'a' }]),
  ],
  [
    '$setElementOrder orders new items among the old, and keeps those of the server',
    spec([{ name: 'a' }, { name: 'server' }, { name: 'b' }]),
    {
      spec: {
        '$setElementOrder/containers': [{ name: 'a' }, { name: 'new' }, { name: 'b' }],
        containers: [{ name: 'new', image: 'n' }],
      },
    },
    spec([{ name: 'a' }, { name: 'new', image: 'n' }, { name: 'server' }, { name: 'b' }]),
  ],
  [
    '$setElementOrder orders scalars',
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { '$setElementOrder/finalizers': ['c', 'b', 'a'], finalizers: ['c'] } },
    { metadata: { finalizers: ['c', 'b', 'a'] } },
  ],
  [
    '$retainKeys clears what it leaves out: the kind of a volume changes',
    spec([], { volumes: [{ name: 'v', emptyDir: {} }] }),
    spec([], {
      volumes: [{ name: 'v', hostPath: { path: '/x' }, emptyDir: null, $retainKeys: ['name', 'hostPath'] }],
    }),
    spec([], { volumes: [{ name: 'v', hostPath: { path: '/x' } }] }),
  ],
  [
    'a new map loses its nulls and directives',
    {},
    { metadata: { labels: { a: '1', b: null } } },
    { metadata: { labels: { a: '1' } } },
  ],
  [
    'null removes a list',
    spec([{ name: 'a' }], { tolerations: [{}] }),
    { spec: { tolerations: null } },
    spec([{ name: 'a' }]),
  ],
  [
    'conditions merge by type',
    { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'X', status: 'True' },
        ],
      },
    },
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'X', status: 'True' },
        ],
      },
    },
  ],
];

for (const [title, original, patch, expected] of cases)
  test(title, (t) => {
    const before = structuredClone([original, patch]);
    t.deepEqual(applyStrategicMergePatch(original, patch, pod), expected);
    t.deepEqual([original, patch], before);
  });

test('the strategy of a Deployment retains only the keys of the patch', (t) => {
  const original = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
  t.deepEqual(applyStrategicMergePatch(original, patch, deployment), {
    spec: { strategy: { type: 'Recreate' } },
  });
});

const wrong: [title: string, original: unknown, patch: unknown, message: string][] = [
  [
    'an item without its key',
    spec([{ name: 'a' }]),
    spec([{ image: 'x' }]),
    'map: {"image":"x"} does not contain declared merge key: name',
  ],
  [
    'an unknown directive',
    { metadata: {} },
    { metadata: { $patch: 'spam' } },
    'unknown patch type: spam in map: {}',
  ],
  [
    'a merge directive in a list',
    spec([{ name: 'a' }]),
    spec([{ name: 'a', $patch: 'merge' }]),
    'merging lists cannot yet be specified in the patch',
  ],
  [
    'a key that is not retained',
    { spec: { x: 1 } },
    { spec: { $retainKeys: ['a'], b: 1 } },
    'invalid patch format of retainKeys',
  ],
  [
    'mixed types in a list',
    { metadata: { finalizers: ['a'] } },
    { metadata: { finalizers: [1] } },
    'list element types are not identical: ["a",1]',
  ],
  [
    'a list to delete that is none',
    { metadata: { finalizers: ['a'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': 'a' } },
    'invalid patch format of primitive list',
  ],
];

for (const [title, original, patch, message] of wrong)
  test(`${title} is refused`, (t) => {
    t.throws(() => applyStrategicMergePatch(original, patch, pod), {
      instanceOf: StrategicMergeError,
      message,
    });
  });

test('an order that contradicts the list is refused', (t) => {
  const patch = {
    spec: {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'a' }, { name: 'b' }],
    },
  };
  t.throws(() => applyStrategicMergePatch(spec([]), patch, pod), { message: /^The order in patch list:/ });
});
