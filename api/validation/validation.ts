import { parseApiVersion } from '../meta.ts';
import type { KubernetesObject } from '../types.ts';
import { nameIsSubdomain } from './checks.ts';
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validateSecret,
  validateSecretUpdate,
} from './config-map.ts';
import {
  validateNamespace,
  validateNamespaceFinalize,
  validateNamespaceStatus,
  validateNode,
  validateNodeUpdate,
  validateServiceAccount,
} from './core.ts';
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionStatusUpdate,
  validateCustomResourceDefinitionUpdate,
} from '../custom-resources/definition/definition.ts';
import { validateEvent, validateEventsV1Event, validateEventsV1EventUpdate } from './event.ts';
import type { FieldError } from './field-error.ts';
import { validateLease, validateLeaseUpdate } from './lease.ts';
import {
  validateLimitRange,
  validateResourceQuota,
  validateResourceQuotaStatusUpdate,
  validateResourceQuotaUpdate,
} from './limits.ts';
import { validatePriorityClass, validatePriorityClassUpdate } from './priority-class.ts';
import { validateService, validateServiceUpdate } from './service.ts';
import { validateClaim, validateClaimStatusUpdate, validateClaimUpdate } from './storage/claim.ts';
import {
  validatePersistentVolume,
  validatePersistentVolumeStatusUpdate,
  validatePersistentVolumeUpdate,
} from './storage/persistent-volume.ts';
import { validateCsiDriver, validateCsiDriverUpdate } from './storage/csi-driver.ts';
import { validateCsiNode, validateCsiNodeUpdate } from './storage/csi-node.ts';
import {
  validateCsiStorageCapacity,
  validateCsiStorageCapacityUpdate,
} from './storage/csi-storage-capacity.ts';
import { validateStorageClass, validateStorageClassUpdate } from './storage/storage-class.ts';
import {
  validateVolumeAttachment,
  validateVolumeAttachmentStatusUpdate,
  validateVolumeAttachmentUpdate,
} from './storage/volume-attachment.ts';
import {
  validateVolumeAttributesClass,
  validateVolumeAttributesClassUpdate,
} from './storage/volume-attributes-class.ts';
import { validateCoreObjectMetaUpdate, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';
import { validatePodResize } from './pod/pod-resize.ts';
import { validateEphemeralContainersUpdate, validatePodStatusUpdate } from './pod/pod-subresources.ts';
import { validatePodTemplate, validatePodTemplateUpdate } from './pod/pod-template.ts';
import { validatePodUpdate } from './pod/pod-update.ts';
import { validatePod } from './pod/pod.ts';
import { validateRuntimeClass, validateRuntimeClassUpdate } from './runtime-class.ts';
import {
  validateClusterRole,
  validateClusterRoleBinding,
  validateClusterRoleBindingUpdate,
  validateClusterRoleUpdate,
  validateRole,
  validateRoleBinding,
  validateRoleBindingUpdate,
  validateRoleUpdate,
} from './rbac.ts';

/** How the objects of a kind are checked; defaults must have been applied. */
interface Validator {
  create: (object: KubernetesObject) => FieldError[];
  update: (object: KubernetesObject, old: KubernetesObject) => FieldError[];
  /** Writes to `/status` and other subresources; without one an update of the metadata is checked. */
  subresources?: Record<string, (object: KubernetesObject, old: KubernetesObject) => FieldError[]>;
}

/** Checks a new object. A kind without a validator has its metadata checked. */
export function validateObject(
  object: KubernetesObject,
  { namespaced }: { namespaced: boolean },
): FieldError[] {
  const validator = validatorOf(object);
  return validator === undefined
    ? validateObjectMeta(object, { namespaced, nameRule: nameIsSubdomain })
    : validator.create(object);
}

/** Checks a changed object against the old, written to the object itself or to one of its subresources. */
export function validateObjectUpdate(
  object: KubernetesObject,
  old: KubernetesObject,
  subresource = '',
): FieldError[] {
  const validator = validatorOf(object);
  if (validator === undefined) return validateObjectMetaUpdate(object, old);
  if (subresource === '') return validator.update(object, old);
  return (validator.subresources?.[subresource] ?? validateObjectMetaUpdate)(object, old);
}

function validatorOf({ apiVersion = '', kind = '' }: KubernetesObject): Validator | undefined {
  const { group } = parseApiVersion(apiVersion);
  return validators[group === '' ? kind : `${kind}.${group}`];
}

const rbac = 'rbac.authorization.k8s.io';

const validators: Record<string, Validator> = {
  ConfigMap: validator({ create: validateConfigMap, update: validateConfigMapUpdate }),
  'CustomResourceDefinition.apiextensions.k8s.io': validator({
    create: validateCustomResourceDefinition,
    update: validateCustomResourceDefinitionUpdate,
    subresources: { status: validateCustomResourceDefinitionStatusUpdate },
  }),
  Event: validator({ create: validateEvent, update: (event) => validateEvent(event) }),
  'Event.events.k8s.io': validator({ create: validateEventsV1Event, update: validateEventsV1EventUpdate }),
  'Lease.coordination.k8s.io': validator({ create: validateLease, update: validateLeaseUpdate }),
  LimitRange: validator({
    create: validateLimitRange,
    update: (range, old) => [...validateCoreObjectMetaUpdate(range, old), ...validateLimitRange(range)],
  }),
  Namespace: validator({
    create: validateNamespace,
    update: (namespace, old) => validateCoreObjectMetaUpdate(namespace, old),
    subresources: { finalize: validateNamespaceFinalize, status: validateNamespaceStatus },
  }),
  Node: validator({
    create: validateNode,
    update: (node, old) => [...validateNode(node), ...validateNodeUpdate(node, old)],
    subresources: { status: validateNodeUpdate },
  }),
  PersistentVolume: validator({
    create: validatePersistentVolume,
    update: validatePersistentVolumeUpdate,
    subresources: { status: validatePersistentVolumeStatusUpdate },
  }),
  PersistentVolumeClaim: validator({
    create: validateClaim,
    update: validateClaimUpdate,
    subresources: { status: validateClaimStatusUpdate },
  }),
  Pod: validator({
    create: validatePod,
    update: validatePodUpdate,
    subresources: {
      ephemeralcontainers: validateEphemeralContainersUpdate,
      resize: validatePodResize,
      status: validatePodStatusUpdate,
    },
  }),
  PodTemplate: validator({ create: validatePodTemplate, update: validatePodTemplateUpdate }),
  'PriorityClass.scheduling.k8s.io': validator({
    create: validatePriorityClass,
    update: validatePriorityClassUpdate,
  }),
  ResourceQuota: validator({
    create: validateResourceQuota,
    update: validateResourceQuotaUpdate,
    subresources: { status: validateResourceQuotaStatusUpdate },
  }),
  'RuntimeClass.node.k8s.io': validator({
    create: validateRuntimeClass,
    update: validateRuntimeClassUpdate,
  }),
  Secret: validator({ create: validateSecret, update: validateSecretUpdate }),
  Service: validator({ create: validateService, update: validateServiceUpdate }),
  ServiceAccount: validator({
    create: validateServiceAccount,
    update: (account, old) => [
      ...validateCoreObjectMetaUpdate(account, old),
      ...validateServiceAccount(account),
    ],
  }),
  'CSIDriver.storage.k8s.io': validator({ create: validateCsiDriver, update: validateCsiDriverUpdate }),
  'CSINode.storage.k8s.io': validator({ create: validateCsiNode, update: validateCsiNodeUpdate }),
  'CSIStorageCapacity.storage.k8s.io': validator({
    create: validateCsiStorageCapacity,
    update: validateCsiStorageCapacityUpdate,
  }),
  'StorageClass.storage.k8s.io': validator({
    create: validateStorageClass,
    update: validateStorageClassUpdate,
  }),
  'VolumeAttachment.storage.k8s.io': validator({
    create: validateVolumeAttachment,
    update: validateVolumeAttachmentUpdate,
    subresources: { status: validateVolumeAttachmentStatusUpdate },
  }),
  'VolumeAttributesClass.storage.k8s.io': validator({
    create: validateVolumeAttributesClass,
    update: validateVolumeAttributesClassUpdate,
  }),
  [`ClusterRole.${rbac}`]: validator({ create: validateClusterRole, update: validateClusterRoleUpdate }),
  [`ClusterRoleBinding.${rbac}`]: validator({
    create: validateClusterRoleBinding,
    update: validateClusterRoleBindingUpdate,
  }),
  [`Role.${rbac}`]: validator({ create: validateRole, update: validateRoleUpdate }),
  [`RoleBinding.${rbac}`]: validator({ create: validateRoleBinding, update: validateRoleBindingUpdate }),
};

/** The table's key says of which kind an object is, which the type system can't see. */
function validator<T extends KubernetesObject>(typed: {
  create: (object: T) => FieldError[];
  update: (object: T, old: T) => FieldError[];
  subresources?: Record<string, (object: T, old: T) => FieldError[]>;
}): Validator {
  return typed as unknown as Validator;
}
