import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CoreV1Event,
  CustomResourceDefinition,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  Lease,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  RuntimeClass,
  Secret,
  Service,
  ServiceAccount,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../api/types.ts';
import type { ApiObject, ResourceId } from './objects.ts';

const core = <T extends ApiObject>(resource: string): ResourceId<T> => ({
  group: '',
  version: 'v1',
  resource,
});

const grouped = <T extends ApiObject>(group: string, resource: string): ResourceId<T> => ({
  group,
  version: 'v1',
  resource,
});

/** The resources that Podwright's own clients use, each with the type of its objects. */
export const pods = core<Pod>('pods');
export const nodes = core<Node>('nodes');
export const namespaces = core<Namespace>('namespaces');
export const configMaps = core<ConfigMap>('configmaps');
export const secrets = core<Secret>('secrets');
export const services = core<Service>('services');
export const serviceAccounts = core<ServiceAccount>('serviceaccounts');
export const events = core<CoreV1Event>('events');
export const persistentVolumes = core<PersistentVolume>('persistentvolumes');
export const persistentVolumeClaims = core<PersistentVolumeClaim>('persistentvolumeclaims');
export const runtimeClasses = grouped<RuntimeClass>('node.k8s.io', 'runtimeclasses');
export const storageClasses = grouped<StorageClass>('storage.k8s.io', 'storageclasses');
export const csiDrivers = grouped<CSIDriver>('storage.k8s.io', 'csidrivers');
export const csiNodes = grouped<CSINode>('storage.k8s.io', 'csinodes');
export const csiStorageCapacities = grouped<CSIStorageCapacity>('storage.k8s.io', 'csistoragecapacities');
export const volumeAttachments = grouped<VolumeAttachment>('storage.k8s.io', 'volumeattachments');
export const volumeAttributesClasses = grouped<VolumeAttributesClass>(
  'storage.k8s.io',
  'volumeattributesclasses',
);
export const customResourceDefinitions = grouped<CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'customresourcedefinitions',
);
export const leases = grouped<Lease>('coordination.k8s.io', 'leases');
export const clusterRoles = grouped<ClusterRole>('rbac.authorization.k8s.io', 'clusterroles');
export const clusterRoleBindings = grouped<ClusterRoleBinding>(
  'rbac.authorization.k8s.io',
  'clusterrolebindings',
);
