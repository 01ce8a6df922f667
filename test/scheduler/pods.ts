import type { Pod } from '../../api/types.ts';
import { pods } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { withoutUid } from './storage-fixtures.ts';

export const createPod = (client: Client, pod: Pod): Promise<Pod> =>
  client.resource(pods).create({ object: withoutUid(pod) });

export const getPod = (client: Client, name: string): Promise<Pod> =>
  client.resource(pods).get({ name, namespace: 'default' });

export const nodeOf = async (client: Client, name: string): Promise<string | undefined> =>
  (await getPod(client, name)).spec?.nodeName;
