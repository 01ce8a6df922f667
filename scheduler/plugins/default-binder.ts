import { pods } from '../../client/resources.ts';
import type { ApiObject } from '../../client/objects.ts';
import type { PluginFactory } from '../framework/handle.ts';

interface Binding extends ApiObject {
  target: { apiVersion: string; kind: string; name: string };
}

/** Writes the pod's node through its binding subresource. */
export const defaultBinder: PluginFactory = ({ client }) => ({
  name: 'DefaultBinder',
  async bind({ pod, nodeName, signal }) {
    const { name = '', namespace, uid } = pod.metadata ?? {};
    const metadata = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      // The server refuses when the name has since been given to another pod.
      ...(uid === undefined ? {} : { uid }),
    };
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const object: Binding = { apiVersion: 'v1', kind: 'Binding', metadata, target };
    await client.resource(pods).subresource<Binding>('binding').create({ name, namespace, object, signal });
    return true;
  },
});
