import type { Node } from '../../api/types.ts';
import { createInformer } from '../../client/informer.ts';
import { nodes } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';

/** This kubelet's own Node object as the API server has it. */
export interface OwnNode {
  /** Undefined until the first list, and while there is no such object. */
  node(): Node | undefined;
  /** Called at each change. The answer takes the listener away. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
}

/** Watches one Node, which the node authorizer allows to the kubelet of that name. */
export const followOwnNode = ({
  client,
  nodeName,
  onError,
}: {
  client: Client;
  nodeName: string;
  onError: (error: unknown) => void;
}): OwnNode => {
  const fieldSelector = `metadata.name=${nodeName}`;
  const informer = createInformer<Node>({ client, resource: nodes, fieldSelector, onError });
  const listeners = new Set<() => void>();
  const tell = () => listeners.forEach((listener) => listener());
  informer.addHandler({ add: tell, update: tell, delete: tell });
  informer.start();
  return {
    node: () => informer.lister.get({ name: nodeName }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => informer.stop(),
  };
};
