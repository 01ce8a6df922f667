import { quote } from '../../../api/go-format.ts';
import type { CSINode, Node, PersistentVolume, TopologySelectorTerm } from '../../../api/types.ts';
import type { Lister } from '../../../client/store.ts';
import type { Topology, TopologyRequirement } from '../../types.ts';
import { preferredPlace } from './spread.ts';
import { ProvisionError } from './states.ts';
import {
  allowedTerms,
  csiTopology,
  distinctTerms,
  isSubset,
  printTerm,
  printTerms,
  termOf,
  termOfNode,
} from './topology-term.ts';
import type { TopologyTerm } from './topology-term.ts';

export interface TopologyOptions {
  driverName: string;
  claim: { uid: string; name: string };
  allowedTopologies: readonly TopologySelectorTerm[];
  /** Empty for immediate binding. */
  selectedNode: string;
  /** Pass the selected node's place alone, in place of all of the cluster (--strict-topology). */
  strictTopology: boolean;
  /** Pass the cluster's places for immediate binding too (--immediate-topology). */
  immediateTopology: boolean;
  csiNodes: Lister<CSINode>;
  nodes: Lister<Node>;
  memory: TopologyMemory;
}

/** What a claim's requests were made of, so that a repeated request is the same one although nodes came or went meanwhile. */
export type TopologyMemory = Map<string, Remembered>;

interface Remembered {
  selectedNode: string;
  topologyKeys?: readonly string[];
  terms?: TopologyTerm[];
  selectedTerm?: TopologyTerm;
}

/**
 * Where a volume may be made (`requisite`) and where best (`preferred`, in this order): external-provisioner's
 * GenerateAccessibilityRequirements. With a selected node its own place is preferred, else the claims are spread by name.
 * undefined when there is nothing to require. Rejects as a ProvisionError: `reschedule` when the node is gone.
 */
export function accessibilityRequirements(options: TopologyOptions): TopologyRequirement | undefined {
  const { selectedNode, strictTopology, claim } = options;
  const selected = selectedNode === '' ? undefined : selectedTerm(options);
  const places = strictTopology && selected !== undefined ? [selected] : requisiteTerms(options);
  const requisite = distinctTerms(places ?? []);
  if (requisite.length === 0) return undefined;
  const first =
    selected === undefined
      ? preferredPlace(claim.name, requisite.length)
      : requisite.findIndex((term) => isSubset(term, selected));
  if (first < 0)
    throw unfit(
      `topology ${printTerm(selected ?? [])} from selected node ${quote(selectedNode)} is not in requisite: ${printTerms(requisite)}`,
    );
  const preferred = [...requisite.slice(first), ...requisite.slice(0, first)];
  return { requisite: csiTopology(requisite), preferred: csiTopology(preferred) };
}

const unfit = (why: string) =>
  new ProvisionError('no-change', `error generating accessibility requirements: ${why}`);

function remembered({ memory, claim, selectedNode }: TopologyOptions): Remembered {
  const known = memory.get(claim.uid);
  if (known?.selectedNode === selectedNode) return known;
  const fresh = { selectedNode };
  memory.set(claim.uid, fresh);
  return fresh;
}

function selectedTerm(options: TopologyOptions): TopologyTerm {
  const { selectedNode, strictTopology, allowedTopologies, nodes } = options;
  const keys = keysOfSelectedNode(options);
  const known = remembered(options);
  const labels = nodes.getByKey(selectedNode)?.metadata?.labels ?? {};
  const term = known.selectedTerm ?? termOfNode(labels, keys);
  if (term === undefined)
    throw unfit(
      `topology labels from selected node ${printLabels(labels)} does not match topology keys from CSINode [${keys.join(' ')}]`,
    );
  known.selectedTerm = term;
  const allowed = allowedTerms(allowedTopologies);
  if (strictTopology && allowed.length > 0 && !allowed.some((place) => isSubset(place, term)))
    throw unfit(
      `selected node '${quote(selectedNode)}' topology '${printTerm(term)}' is not in allowed topologies: ${printTerms(allowed)}`,
    );
  return term;
}

function keysOfSelectedNode(options: TopologyOptions): readonly string[] {
  const { selectedNode, csiNodes, driverName } = options;
  const known = remembered(options);
  if (known.topologyKeys !== undefined) return known.topologyKeys;
  const csiNode = csiNodes.getByKey(selectedNode);
  if (csiNode === undefined)
    throw new ProvisionError(
      'reschedule',
      `failed to get selected CSINode ${selectedNode}: csinode.storage.k8s.io ${quote(selectedNode)} not found`,
    );
  const keys = topologyKeysOf(csiNode, driverName);
  // The driver isn't on this node, or registers again just now: the scheduler will look again.
  if (keys.length === 0) throw unfit(`no topology key found for node ${selectedNode}`);
  return (known.topologyKeys = keys);
}

/** The topology keys that a driver has registered on a node. */
export const topologyKeysOf = (csiNode: CSINode, driverName: string): readonly string[] =>
  csiNode.spec.drivers.find(({ name }) => name === driverName)?.topologyKeys ?? [];

function requisiteTerms(options: TopologyOptions): TopologyTerm[] | undefined {
  const { allowedTopologies, selectedNode, immediateTopology } = options;
  if (allowedTopologies.length > 0) return allowedTerms(allowedTopologies);
  if (selectedNode === '' && !immediateTopology) return undefined;
  const terms = placesOfCluster(options);
  if (terms.length === 0) throw unfit('no available topology found');
  return terms;
}

function placesOfCluster(options: TopologyOptions): TopologyTerm[] {
  const { csiNodes, nodes, driverName } = options;
  const known = remembered(options);
  const registered = csiNodes.list().map((csiNode) => topologyKeysOf(csiNode, driverName));
  const keys = known.topologyKeys ?? registered.find((each) => each.length > 0);
  if (keys === undefined) return [];
  known.topologyKeys = keys;
  if (known.terms !== undefined) return known.terms;
  const terms = nodes.list().flatMap((node) => {
    const term = termOfNode(node.metadata?.labels ?? {}, keys);
    return term === undefined ? [] : [term];
  });
  if (terms.length === 0) throw unfit(`topologyKeys [${keys.join(' ')}] were not found on any nodes`);
  return (known.terms = terms);
}

const printLabels = (labels: Record<string, string>): string =>
  `map[${termOf(labels)
    .map(([key, value]) => `${key}:${value}`)
    .join(' ')}]`;

/** From which nodes a volume can be reached: any of the places that its driver named. undefined: from all. */
export function volumeNodeAffinity(
  accessibleTopology: readonly Topology[],
): NonNullable<PersistentVolume['spec']>['nodeAffinity'] {
  if (accessibleTopology.length === 0) return undefined;
  const nodeSelectorTerms = accessibleTopology
    .filter(({ segments }) => Object.keys(segments).length > 0)
    .map(({ segments }) => ({
      matchExpressions: termOf(segments).map(([key, value]) => ({
        key,
        operator: 'In' as const,
        values: [value],
      })),
    }));
  return { required: { nodeSelectorTerms } };
}
