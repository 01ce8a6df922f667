import { attachmentNameOf, uniqueVolumeName } from '../../../api/storage/attachment.ts';
import type { CSIDriverSpec, Node, PersistentVolumeSpec, Pod, VolumeAttachment } from '../../../api/types.ts';
import {
  csiDrivers,
  events,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { attachDetachController } from '../../../controllers/attach-detach/attach-detach.ts';
import type { AttachDetachOptions } from '../../../controllers/attach-detach/attach-detach.ts';
import { until } from '../../environment.ts';
import { found, runTestControllers, startControllerRig } from '../controller-rig.ts';

export const DRIVER = 'd.example.com';
const ATTACHER_FINALIZER = 'external-attacher/d-example-com';

/** A running attach-detach controller; the test plays scheduler, kubelet and attacher. */
export const startAttachRig = async (options: AttachDetachOptions = {}) => {
  const rig = await startControllerRig([]);
  const { client, server } = rig;
  const run = async () =>
    runTestControllers(await server.clientAs('system:kube-controller-manager', ['system:masters']), [
      attachDetachController(options),
    ]);
  let controllers: Awaited<ReturnType<typeof run>> | undefined = await run();
  const stopControllers = async () => {
    await controllers?.stop();
    controllers = undefined;
  };
  return {
    client,
    ...partsOf(client),
    stopControllers,
    /** Another controller, as after a restart or a change of leader. */
    async startController() {
      controllers = await run();
    },
    async stop() {
      await stopControllers();
      await rig.stop();
    },
  };
};

const partsOf = (client: Client) => {
  const nameOf = (volume: string, node: string) => attachmentNameOf({ driver: DRIVER, handle: volume }, node);
  const attachment = (volume: string, node: string) =>
    found(client.resource(volumeAttachments).get({ name: nameOf(volume, node) }));
  const patchNode = (name: string, status: object) =>
    client.resource(nodes).patch({ name, type: 'merge', subresource: 'status', patch: { status } });
  const condition = (ready: boolean) => ({
    type: 'Ready',
    status: ready ? 'True' : 'Unknown',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });

  return {
    attachment,
    nodeNamed: (name: string) => client.resource(nodes).get({ name }),

    async createNode(name: string): Promise<Node> {
      const object = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
      await client.resource(nodes).create({ object });
      return patchNode(name, { conditions: [condition(true)] });
    },
    setReady: (name: string, ready: boolean) => patchNode(name, { conditions: [condition(ready)] }),
    /** The kubelet's word. */
    setInUse: (name: string, volumes: string[]) =>
      patchNode(name, {
        volumesInUse: volumes.map((handle) => uniqueVolumeName({ driver: DRIVER, handle })),
      }),
    taint: (name: string, key: string) =>
      client
        .resource(nodes)
        .patch({ name, type: 'merge', patch: { spec: { taints: [{ key, effect: 'NoExecute' }] } } }),

    createDriver: (spec: CSIDriverSpec = {}) =>
      client.resource(csiDrivers).create({
        object: { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: DRIVER }, spec },
      }),

    /** A volume and the claim that it is bound to, both of this name, which is the handle too. */
    async createVolume(name: string, spec: PersistentVolumeSpec = {}): Promise<void> {
      const accessModes = spec.accessModes ?? ['ReadWriteOnce'];
      const claim = await client.resource(persistentVolumeClaims).create({
        object: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name, namespace: 'default' },
          spec: {
            accessModes,
            resources: { requests: { storage: '1Gi' } },
            volumeName: name,
            storageClassName: '',
          },
        },
      });
      const isInTree = spec.gcePersistentDisk !== undefined;
      await client.resource(persistentVolumes).create({
        object: {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name },
          spec: {
            capacity: { storage: '1Gi' },
            ...(isInTree ? {} : { csi: { driver: DRIVER, volumeHandle: name } }),
            claimRef: { namespace: 'default', name, uid: claim.metadata?.uid ?? '' },
            ...spec,
            accessModes,
          },
        },
      });
      await client.resource(persistentVolumeClaims).patch({
        name,
        namespace: 'default',
        type: 'merge',
        subresource: 'status',
        patch: { status: { phase: 'Bound' } },
      });
    },

    /** A Pod on a node that mounts these claims. */
    createPod: (name: string, nodeName: string, claims: string[]): Promise<Pod> =>
      client.resource(pods).create({
        object: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name, namespace: 'default' },
          spec: {
            nodeName,
            containers: [{ name: 'main', image: 'busybox' }],
            volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
          },
        },
      }),
    endPod: (name: string) =>
      client.resource(pods).delete({ name, namespace: 'default', gracePeriodSeconds: 0 }),

    /** Waits until the attacher is asked. */
    asked: (volume: string, node: string): Promise<VolumeAttachment> =>
      until(`attachment of ${volume} to ${node}`, () => attachment(volume, node)),
    /** The attacher's answers. */
    async attach(volume: string, node: string): Promise<void> {
      const name = nameOf(volume, node);
      await until(`attachment of ${volume} to ${node}`, () => attachment(volume, node));
      const patch = { metadata: { finalizers: [ATTACHER_FINALIZER] } };
      await client.resource(volumeAttachments).patch({ name, type: 'merge', patch });
      await client
        .resource(volumeAttachments)
        .patch({ name, type: 'merge', subresource: 'status', patch: { status: { attached: true } } });
    },
    failAttach: (volume: string, node: string, message: string) =>
      client.resource(volumeAttachments).patch({
        name: nameOf(volume, node),
        type: 'merge',
        subresource: 'status',
        patch: { status: { attachError: { message, time: new Date().toISOString() } } },
      }),
    /** Waits until the attacher is asked to detach, and does. */
    async detach(volume: string, node: string): Promise<void> {
      await until(
        `deletion of the attachment of ${volume} to ${node}`,
        async () => (await attachment(volume, node))?.metadata?.deletionTimestamp,
      );
      const patch = { metadata: { finalizers: null } };
      await client.resource(volumeAttachments).patch({ name: nameOf(volume, node), type: 'merge', patch });
    },

    /** Waits until the node's status shows exactly these as attached. */
    shows: (node: string, volumes: string[]) =>
      until(`${node} shows ${volumes.join(', ') || 'nothing'} as attached`, async () => {
        const { status } = await client.resource(nodes).get({ name: node });
        const shown = (status?.volumesAttached ?? []).map(({ name }) => name).sort();
        const wanted = volumes.map((handle) => uniqueVolumeName({ driver: DRIVER, handle })).sort();
        return JSON.stringify(shown) === JSON.stringify(wanted) || undefined;
      }),

    /** All messages of a reason about Pods of this name. */
    async messages(pod: string, reason: string): Promise<string[]> {
      const { items } = await client.resource(events).list({ namespace: 'default' });
      return items
        .filter((event) => event.involvedObject.name === pod && event.reason === reason)
        .map(({ message }) => message ?? '');
    },
  };
};
