import type { CSINode, CSINodeDriver, ObjectMeta } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { csiNodes, nodes } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import {
  migratedPlugins,
  migratedPluginsAnnotation,
  migratedPluginsValue,
} from '../../csi/translation/index.ts';

const migrated = migratedPluginsValue(migratedPlugins);

/** What a driver says of this node (NodeGetInfo). */
export interface DriverOnNode {
  /** The driver's name. */
  name: string;
  /** What the driver calls this node. */
  nodeId: string;
  /** How many volumes can be attached; 0: not said. */
  maxVolumesPerNode: number;
  /** Where the node is, by topology key. */
  topology: Record<string, string>;
}

export interface CsiNodes {
  initialize(): Promise<void>;
  install(driver: DriverOnNode): Promise<void>;
  uninstall(name: string): Promise<void>;
}

/** The node's CSINode object, owned by the Node: what the scheduler and the attacher know of the drivers here. */
export const createCsiNodes = ({ client, nodeName }: { client: Client; nodeName: string }): CsiNodes => {
  const resource = client.resource(csiNodes);

  const getOrCreate = async (): Promise<CSINode> => {
    const { metadata } = await client.resource(nodes).get({ name: nodeName });
    const uid = metadata?.uid ?? '';
    try {
      const existing = await resource.get({ name: nodeName });
      if (ownerOf(existing, nodeName) === uid) return existing;
      await resource.delete({ name: nodeName });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return resource.create({ object: newCsiNode(nodeName, uid) });
  };

  const write = (csiNode: CSINode, drivers: CSINodeDriver[]) =>
    resource.update({
      object: { ...csiNode, metadata: annotated(csiNode), spec: { ...csiNode.spec, drivers } },
    });

  return {
    async initialize() {
      const csiNode = await getOrCreate();
      if (isAnnotated(csiNode)) return;
      await write(csiNode, driversOf(csiNode));
    },
    async install(driver) {
      const csiNode = await getOrCreate();
      const drivers = driversOf(csiNode);
      const wanted = driverOf(driver);
      const existing = drivers.find(({ name }) => name === driver.name);
      if (existing !== undefined && isSame(existing, wanted) && isAnnotated(csiNode)) return;
      await write(csiNode, [...drivers.filter(({ name }) => name !== driver.name), wanted]);
    },
    async uninstall(name) {
      const csiNode = await resource.get({ name: nodeName }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      const drivers = csiNode === undefined ? [] : driversOf(csiNode);
      const rest = drivers.filter((driver) => driver.name !== name);
      if (csiNode !== undefined && rest.length < drivers.length) await write(csiNode, rest);
    },
  };
};

/** A server written in Go may leave an empty list out. */
const driversOf = ({ spec }: CSINode): CSINodeDriver[] =>
  (spec.drivers as CSINodeDriver[] | null | undefined) ?? [];

const ownerOf = ({ metadata }: CSINode, nodeName: string): string | undefined =>
  metadata?.ownerReferences?.find(({ kind, name }) => kind === 'Node' && name === nodeName)?.uid;

const newCsiNode = (nodeName: string, uid: string): CSINode => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSINode',
  metadata: {
    name: nodeName,
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }],
    annotations: { [migratedPluginsAnnotation]: migrated },
  },
  spec: { drivers: [] },
});

const isAnnotated = ({ metadata }: CSINode): boolean =>
  metadata?.annotations?.[migratedPluginsAnnotation] === migrated;

const annotated = ({ metadata }: CSINode): ObjectMeta => ({
  ...metadata,
  annotations: { ...metadata?.annotations, [migratedPluginsAnnotation]: migrated },
});

const maxInt32 = 2 ** 31 - 1;

const driverOf = ({ name, nodeId, maxVolumesPerNode, topology }: DriverOnNode): CSINodeDriver => ({
  name,
  nodeID: nodeId,
  topologyKeys: Object.keys(topology).toSorted(),
  ...(maxVolumesPerNode > 0 ? { allocatable: { count: Math.min(maxVolumesPerNode, maxInt32) } } : {}),
});

const isSame = (left: CSINodeDriver, right: CSINodeDriver): boolean =>
  left.nodeID === right.nodeID &&
  left.allocatable?.count === right.allocatable?.count &&
  (left.topologyKeys ?? []).toSorted().join() === (right.topologyKeys ?? []).join();
