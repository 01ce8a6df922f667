import type { Node } from '../../api/types.ts';
import type { Client } from '../../client/rest.ts';
import { nodes } from '../../client/resources.ts';

/** A node that is ready: with this status, and without the taint that the server gives to new ones. */
export const createReadyNode = async (client: Client, node: Node): Promise<void> => {
  const created = await client.resource(nodes).create({ object: node });
  const name = created.metadata?.name ?? '';
  const patch = { spec: { taints: node.spec?.taints ?? null } };
  const ready = await client.resource(nodes).patch({ name, type: 'merge', patch });
  const status = node.status === undefined ? {} : { status: node.status };
  await client.resource(nodes).updateStatus({ object: { ...ready, ...status } });
};
