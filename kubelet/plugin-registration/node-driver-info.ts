import type { Node } from '../../api/types.ts';
import { wait } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { nodes } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { createCsiNodes } from './csi-node.ts';
import type { DriverOnNode } from './csi-node.ts';

/** What the API says of the drivers on this node: the Node's labels and annotation, and its CSINode. */
export interface NodeDriverInfo {
  /** Makes the node's CSINode, as long as there are no drivers too. */
  initialize(): Promise<void>;
  /** Rejects with Error in upstream's words after five tries. */
  install(driver: DriverOnNode): Promise<void>;
  /** Only the CSINode: how many volumes the driver can attach may have changed. */
  update(driver: DriverOnNode): Promise<void>;
  uninstall(name: string): Promise<void>;
}

export interface NodeDriverInfoOptions {
  client: Client;
  nodeName: string;
  clock: Clock;
}

const nodeIdAnnotation = 'csi.volume.kubernetes.io/nodeid';

/** Upstream: pkg/volume/csi/nodeinfomanager. */
export const createNodeDriverInfo = (options: NodeDriverInfoOptions): NodeDriverInfo => {
  const { client, nodeName, clock } = options;
  const csiNodes = createCsiNodes(options);

  const updateNode = async (change: (node: Node) => Node['metadata'] | undefined) => {
    const node = await client.resource(nodes).get({ name: nodeName });
    const metadata = change(node);
    if (metadata === undefined) return;
    await client.resource(nodes).patch({
      name: nodeName,
      type: 'merge',
      patch: { metadata: { ...metadata, resourceVersion: node.metadata?.resourceVersion } },
    });
  };

  // One after the other: two drivers that register at once would overwrite each other's part.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const tryOften = (what: string, work: () => Promise<void>) => inTurn(() => retried(clock, what, work));

  return {
    initialize: () => tryOften('error updating CSINode annotation', () => csiNodes.initialize()),
    async install(driver) {
      if (driver.nodeId === '') {
        throw new Error('error adding CSI driver node info: driverNodeID must not be empty');
      }
      await tryOften('error updating Node object with CSI driver node info: error updating node', () =>
        updateNode((node) => withDriver(node, driver)),
      );
      await tryOften('error updating CSINode object with CSI driver node info: error updating CSINode', () =>
        csiNodes.install(driver),
      );
    },
    update: (driver) =>
      tryOften('error updating CSINode object with CSI driver node info: error updating CSINode', () =>
        csiNodes.install(driver),
      ),
    async uninstall(name) {
      await tryOften('error uninstalling CSI driver from CSINode object error updating CSINode', () =>
        csiNodes.uninstall(name),
      );
      await tryOften('error removing CSI driver node info from Node object error updating node', () =>
        updateNode((node) => withoutDriver(node, name)),
      );
    },
  };
};

/** Upstream's updateBackoff: five tries, from 10 ms, six times as long each time. */
const tries = 5;

const retried = async (clock: Clock, what: string, work: () => Promise<void>): Promise<void> => {
  const errors: string[] = [];
  for (let delayMs = 10; ; delayMs *= 6) {
    try {
      return await work();
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
      if (errors.length === tries) {
        const causes = [...new Set(errors)].join(', ');
        throw new Error(`${what}: timed out waiting for the condition; caused by: ${causes}`, {
          cause: error,
        });
      }
      await wait({ clock, delayMs });
    }
  }
};

const withDriver = (node: Node, { name, nodeId, topology }: DriverOnNode): Node['metadata'] | undefined => {
  const labels = node.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(topology)) {
    const existing = labels[key];
    if (existing === undefined || existing === value) continue;
    throw new Error(
      `detected topology value collision: driver reported "${key}":"${value}" but existing label is "${key}":"${existing}"`,
    );
  }
  const ids = nodeIdsOf(node);
  const isThere = Object.entries(topology).every(([key, value]) => labels[key] === value);
  if (isThere && ids[name] === nodeId) return undefined;
  return {
    labels: topology,
    annotations: { [nodeIdAnnotation]: JSON.stringify({ ...ids, [name]: nodeId }) },
  };
};

/** The labels stay, as upstream's do: volumes that were made for this place are still to be found. */
const withoutDriver = (node: Node, name: string): Node['metadata'] | undefined => {
  const { [name]: known, ...ids } = nodeIdsOf(node);
  if (known === undefined) return undefined;
  const none = Object.keys(ids).length === 0;
  // In a merge patch null takes the annotation away.
  const value = none ? (null as unknown as string) : JSON.stringify(ids);
  return { annotations: { [nodeIdAnnotation]: value } };
};

const nodeIdsOf = ({ metadata }: Node): Record<string, string> => {
  const text = metadata?.annotations?.[nodeIdAnnotation] ?? '';
  if (text === '') return {};
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch (error) {
    throw new Error(`failed to parse node's "${nodeIdAnnotation}" annotation value ("${text}")`, {
      cause: error,
    });
  }
};
