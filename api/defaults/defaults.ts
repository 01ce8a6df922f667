import type { KubernetesObject } from '../types.ts';
import {
  defaultEndpoints,
  defaultEndpointSlice,
  defaultLimitRange,
  defaultNamespace,
  defaultNode,
  defaultPodTemplate,
  defaultSecret,
  defaultService,
} from './core.ts';
import { defaultCustomResourceDefinition } from './custom-resource-definition.ts';
import { defaultPod } from './pod.ts';
import { defaultRoleBinding } from './rbac.ts';
import {
  defaultClaim,
  defaultCsiDriver,
  defaultCsiStorageCapacity,
  defaultPersistentVolume,
  defaultStorageClass,
  defaultVolumeAttachment,
} from './storage.ts';

/** Fills in the defaults of a built-in kind, in place. Kinds without defaults stay as they are. */
export function applyDefaults(object: KubernetesObject): void {
  defaulters[`${object.apiVersion ?? ''} ${object.kind ?? ''}`]?.(object);
}

const rbac = 'rbac.authorization.k8s.io/v1';

const defaulters: Record<string, (object: KubernetesObject) => void> = {
  'v1 Endpoints': defaulter(defaultEndpoints),
  'v1 LimitRange': defaulter(defaultLimitRange),
  'v1 Namespace': defaulter(defaultNamespace),
  'v1 Node': defaulter(defaultNode),
  'v1 PersistentVolume': defaulter(defaultPersistentVolume),
  'v1 PersistentVolumeClaim': defaulter(defaultClaim),
  'v1 Pod': defaulter(defaultPod),
  'v1 PodTemplate': defaulter(defaultPodTemplate),
  'v1 Secret': defaulter(defaultSecret),
  'v1 Service': defaulter(defaultService),
  [`${rbac} ClusterRoleBinding`]: defaulter(defaultRoleBinding),
  [`${rbac} RoleBinding`]: defaulter(defaultRoleBinding),
  'discovery.k8s.io/v1 EndpointSlice': defaulter(defaultEndpointSlice),
  'storage.k8s.io/v1 CSIDriver': defaulter(defaultCsiDriver),
  'storage.k8s.io/v1 CSIStorageCapacity': defaulter(defaultCsiStorageCapacity),
  'apiextensions.k8s.io/v1 CustomResourceDefinition': defaulter(defaultCustomResourceDefinition),
  'storage.k8s.io/v1 StorageClass': defaulter(defaultStorageClass),
  'storage.k8s.io/v1 VolumeAttachment': defaulter(defaultVolumeAttachment),
};

/** The table's key says of which kind an object is, which the type system can't see. */
function defaulter<T extends KubernetesObject>(
  apply: (object: T) => void,
): (object: KubernetesObject) => void {
  return (object) => apply(object as T);
}
