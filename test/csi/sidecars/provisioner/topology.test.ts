import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { CSINode, Node, TopologySelectorTerm } from '../../../../api/types.ts';
import { createIndexedStore } from '../../../../client/store.ts';
import { preferredPlace } from '../../../../csi/sidecars/provisioner/spread.ts';
import type { ProvisioningState } from '../../../../csi/sidecars/provisioner/states.ts';
import { ProvisionError } from '../../../../csi/sidecars/provisioner/states.ts';
import {
  accessibilityRequirements,
  volumeNodeAffinity,
} from '../../../../csi/sidecars/provisioner/topology.ts';
import type { TopologyOptions } from '../../../../csi/sidecars/provisioner/topology.ts';
import { allowedTerms, csiTopology } from '../../../../csi/sidecars/provisioner/topology-term.ts';

const driverName = 'd.example.com';
const place = (zone: string, rack: string) => ({ rack, zone });

/** Nodes by name with their labels; the driver runs on all of them and reports these keys. */
const cluster = (labelsByNode: Record<string, Record<string, string>>, topologyKeys = ['zone', 'rack']) => {
  const nodes = createIndexedStore<Node>();
  const csiNodes = createIndexedStore<CSINode>();
  for (const [name, labels] of Object.entries(labelsByNode)) {
    nodes.set({ metadata: { name, labels } });
    csiNodes.set({
      metadata: { name },
      spec: { drivers: [{ name: driverName, nodeID: name, topologyKeys }] },
    } as CSINode);
  }
  return { nodes, csiNodes };
};

const threePlaces = () =>
  cluster({ n1: place('a', '1'), n2: place('a', '2'), n3: place('b', '1'), n4: place('b', '1') });

const required = (options: Partial<TopologyOptions> = {}) =>
  accessibilityRequirements({
    driverName,
    claim: { uid: 'uid', name: 'data' },
    allowedTopologies: [],
    selectedNode: '',
    strictTopology: false,
    immediateTopology: true,
    memory: new Map(),
    ...threePlaces(),
    ...options,
  });

const placesIn = (topologies: { segments: Record<string, string> }[] = []) =>
  topologies.map(({ segments }) => `${segments['zone']}${segments['rack'] ?? ''}`);

test("the selected node's place comes first, then the others in turn", (t) => {
  const { requisite, preferred } = required({ selectedNode: 'n2' }) ?? {};
  t.deepEqual(placesIn(requisite), ['a1', 'b1', 'a2']);
  t.deepEqual(placesIn(preferred), ['a2', 'a1', 'b1']);
});

test("strictly, only the selected node's place will do, if it is allowed", (t) => {
  const strict = { selectedNode: 'n3', strictTopology: true };
  const { requisite, preferred } = required(strict) ?? {};
  t.deepEqual([placesIn(requisite), placesIn(preferred)], [['b1'], ['b1']]);
  const allowedTopologies = [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }];
  t.throws(() => required({ ...strict, allowedTopologies }), {
    instanceOf: ProvisionError,
    message:
      "error generating accessibility requirements: selected node '\"n3\"' topology '[{rack 1} {zone b}]' is not in allowed topologies: [[{zone a}]]",
  });
});

test("allowedTopologies limit the places; the node's is preferred among them", (t) => {
  const allowedTopologies: TopologySelectorTerm[] = [
    { matchLabelExpressions: [{ key: 'zone', values: ['c', 'b', 'a'] }] },
  ];
  const { requisite, preferred } = required({ selectedNode: 'n3', allowedTopologies }) ?? {};
  t.deepEqual(placesIn(requisite), ['a', 'b', 'c']);
  t.deepEqual(placesIn(preferred), ['b', 'c', 'a']);
  t.throws(
    () =>
      required({
        selectedNode: 'n3',
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['c'] }] }],
      }),
    {
      message:
        /topology \[\{rack 1\} \{zone b\}\] from selected node "n3" is not in requisite: \[\[\{zone c\}\]\]$/,
    },
  );
});

test('each OR of allowedTopologies becomes a place of its own', (t) => {
  const terms = allowedTerms([
    {
      matchLabelExpressions: [
        { key: 'zone', values: ['a', 'b'] },
        { key: 'rack', values: ['1', '2'] },
      ],
    },
    { matchLabelExpressions: [{ key: 'zone', values: ['c'] }] },
    {},
  ]);
  t.deepEqual(placesIn(csiTopology(terms)), ['a1', 'b1', 'a2', 'b2', 'c']);
});

test('without a node claims are spread by their names, or nothing is required', (t) => {
  t.is(required({ immediateTopology: false }), undefined);
  const first = (name: string) => placesIn(required({ claim: { uid: name, name } })?.preferred)[0];
  const members = ['www-web-0', 'www-web-1', 'www-web-2', 'www-web-3'].map(first);
  t.is(new Set(members.slice(0, 3)).size, 3);
  t.is(members[3], members[0]);
  t.is(first('logs-web-1'), first('www-web-1'));
});

test('names are hashed as upstream does', (t) => {
  // FNV-1 of 32 bits, with the published test vector of "foobar" and the hash's start.
  t.is(preferredPlace('foobar', 2 ** 32), 0x31f0b262);
  t.is(preferredPlace('data-foobar-7', 2 ** 32), 0x31f0b262 + 7);
  t.is(preferredPlace('foobar-7', 2 ** 32), 0x31f0b262 + 7);
  t.is(preferredPlace('', 2 ** 32), 0x811c9dc5);
});

const throwsAs = (
  t: ExecutionContext,
  options: Partial<TopologyOptions>,
  state: ProvisioningState,
  message: RegExp,
) => {
  const error = t.throws(() => required(options), { instanceOf: ProvisionError, message });
  t.is(error?.state, state);
};

test('what is missing is told', (t) => {
  throwsAs(t, { selectedNode: 'gone' }, 'reschedule', /failed to get selected CSINode gone: /);
  throwsAs(
    t,
    { selectedNode: 'n1', ...cluster({ n1: {} }, []) },
    'no-change',
    /no topology key found for node n1$/,
  );
  throwsAs(
    t,
    { selectedNode: 'n1', ...cluster({ n1: { zone: 'a', arch: 'x' } }) },
    'no-change',
    /topology labels from selected node map\[arch:x zone:a\] does not match topology keys from CSINode \[zone rack\]$/,
  );
  throwsAs(
    t,
    cluster({ n1: { zone: 'a' } }),
    'no-change',
    /topologyKeys \[zone rack\] were not found on any nodes$/,
  );
  throwsAs(t, cluster({}), 'no-change', /no available topology found$/);
});

test('a repeated request stays the same although nodes come and go', (t) => {
  const memory: TopologyOptions['memory'] = new Map();
  const before = required({ selectedNode: 'n1', memory });
  const later = cluster({ n1: place('z', '9'), n5: place('c', '1') });
  t.deepEqual(required({ selectedNode: 'n1', memory, ...later }), before);
  memory.clear();
  t.notDeepEqual(required({ selectedNode: 'n1', memory, ...later }), before);
});

test('a volume can be reached from the places that its driver named', (t) => {
  t.is(volumeNodeAffinity([]), undefined);
  const one = (key: string, value: string) => ({ key, operator: 'In', values: [value] });
  t.deepEqual(
    volumeNodeAffinity([{ segments: place('a', '1') }, { segments: {} }, { segments: { zone: 'b' } }]),
    {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [one('rack', '1'), one('zone', 'a')] },
          { matchExpressions: [one('zone', 'b')] },
        ],
      },
    },
  );
});
