import { mirrorAnnotation } from '../../api/validation/pod/pod.ts';
import type { PersistentVolume, Pod, PodSpec, VolumeAttachment } from '../../api/types.ts';
import type { Stores } from '../storage/stores.ts';
import type { CacheEntry } from '../storage/watch-cache.ts';
import { nodeSecretsOf } from './volume-secrets.ts';

interface GraphObject {
  resource: string;
  namespace: string;
  name: string;
}

/** Which objects each node needs for the Pods bound to it, kept up to date by the Pods' changes (upstream: authorizer/node graph.go). */
export class NodeGraph {
  /** Node name → object ("secrets/ns/name") → number of Pods that need it. */
  readonly #needs = new Map<string, Map<string, number>>();
  readonly #stores: Stores;
  #loaded = false;

  constructor(stores: Stores) {
    this.#stores = stores;
    stores.named('', 'pods').cache.listen(({ type, entry, previous }) => {
      if (!this.#loaded) return;
      if (previous !== undefined) this.#count(previous, -1);
      if (type !== 'DELETED') this.#count(entry, 1);
    });
  }

  /** True when a Pod on the node refers to the object, itself or through its claims and their volumes. */
  needs(node: string, object: GraphObject): boolean {
    switch (object.resource) {
      case 'persistentvolumes':
        return this.#needsVolume(node, this.#find('', object) as PersistentVolume | undefined);
      case 'volumeattachments':
        return (this.#find('storage.k8s.io', object) as VolumeAttachment | undefined)?.spec.nodeName === node;
      case 'secrets':
        return this.#podsNeed(node, object) || this.#volumesNeed(node, object);
      default:
        return this.#podsNeed(node, object);
    }
  }

  #podsNeed(node: string, { resource, namespace, name }: GraphObject): boolean {
    this.#load();
    return (this.#needs.get(node)?.get(`${resource}/${namespace}/${name}`) ?? 0) > 0;
  }

  #find(group: string, { resource, namespace, name }: GraphObject): unknown {
    return this.#stores.named(group, resource).peek({ namespace, name });
  }

  #needsVolume(node: string, volume: PersistentVolume | undefined): boolean {
    const { namespace = '', name = '' } = volume?.spec?.claimRef ?? {};
    return name !== '' && this.#podsNeed(node, { resource: 'persistentvolumeclaims', namespace, name });
  }

  /** Secrets of volumes are few and asked for seldom: all volumes are looked through. */
  #volumesNeed(node: string, { namespace, name }: GraphObject): boolean {
    const volumes = [...this.#stores.named('', 'persistentvolumes').cache.values()];
    return volumes.some(({ object }) => {
      const volume = object as PersistentVolume;
      const isNamed = nodeSecretsOf(volume).some(
        (secret) => secret.name === name && secret.namespace === namespace,
      );
      return isNamed && this.#needsVolume(node, volume);
    });
  }

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    for (const entry of this.#stores.named('', 'pods').cache.values()) this.#count(entry, 1);
  }

  #count({ object }: CacheEntry, change: 1 | -1): void {
    const pod = object as Pod;
    const node = pod.spec?.nodeName;
    if (pod.spec === undefined || !node) return;
    const needs = this.#needs.get(node) ?? new Map<string, number>();
    this.#needs.set(node, needs);
    for (const need of needsOf(pod, pod.spec)) {
      const count = (needs.get(need) ?? 0) + change;
      if (count > 0) needs.set(need, count);
      else needs.delete(need);
    }
    if (needs.size === 0) this.#needs.delete(node);
  }
}

/** Everything that a Pod refers to, each once. */
function needsOf({ metadata }: Pod, spec: PodSpec): Set<string> {
  const namespace = metadata?.namespace ?? '';
  const needs = new Set<string>([`pods/${namespace}/${metadata?.name ?? ''}`]);
  // A node makes its mirror Pods itself: none may lead it to more, even if the admission plugin NodeRestriction let one through.
  if (metadata?.annotations?.[mirrorAnnotation] !== undefined) return needs;
  const add = (resource: string, name: string | undefined) =>
    name && needs.add(`${resource}/${namespace}/${name}`);
  add('serviceaccounts', spec.serviceAccountName);
  for (const { name } of spec.imagePullSecrets ?? []) add('secrets', name);
  for (const container of [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add('configmaps', configMapRef?.name);
      add('secrets', secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      add('configmaps', valueFrom?.configMapKeyRef?.name);
      add('secrets', valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) addVolume(volume, { add, pod: metadata?.name ?? '' });
  return needs;
}

type Volume = NonNullable<PodSpec['volumes']>[number];
type Add = (resource: string, name: string | undefined) => unknown;

function addVolume(volume: Volume, { add, pod }: { add: Add; pod: string }): void {
  add('configmaps', volume.configMap?.name);
  add('secrets', volume.secret?.secretName);
  add('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral !== undefined) add('persistentvolumeclaims', `${pod}-${volume.name}`);
  add('secrets', volume.csi?.nodePublishSecretRef?.name);
  for (const { configMap, secret } of volume.projected?.sources ?? []) {
    add('configmaps', configMap?.name);
    add('secrets', secret?.name);
  }
}
