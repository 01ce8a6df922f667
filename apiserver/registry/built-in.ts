import { customResourceDefinition } from '../custom-resources/definition.ts';
import { endpointSlice, lease, priorityClass, runtimeClass } from './classes.ts';
import { binding } from './core/binding.ts';
import { configMap } from './core/config-map.ts';
import { event } from './core/event.ts';
import { eventView } from './core/event-view.ts';
import { limitRange, resourceQuota } from './core/limits.ts';
import { namespaceKind } from './core/namespace.ts';
import { node } from './core/node.ts';
import { persistentVolume } from './core/persistent-volume.ts';
import { persistentVolumeClaim } from './core/persistent-volume-claim.ts';
import { pod } from './core/pod.ts';
import { podTemplate } from './core/pod-template.ts';
import { secret } from './core/secret.ts';
import { serviceAccount } from './core/service-account.ts';
import { endpoints, service } from './core/service.ts';
import type { Kind } from './kind.ts';
import { clusterRole, clusterRoleBinding, role, roleBinding } from './rbac/roles.ts';
import { reviews } from './reviews.ts';
import { storageClass, volumeAttributesClass } from './storage/classes.ts';
import { csiDriver, csiNode, csiStorageCapacity } from './storage/csi.ts';
import { volumeAttachment } from './storage/volume-attachment.ts';

/** The table of kinds as the server starts with it. Discovery lists groups in this order. */
export const BUILT_IN_KINDS: Kind[] = [
  binding,
  configMap,
  endpoints,
  event,
  limitRange,
  namespaceKind,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  podTemplate,
  resourceQuota,
  secret,
  serviceAccount,
  service,
  eventView,
  ...reviews,
  clusterRole,
  clusterRoleBinding,
  role,
  roleBinding,
  lease,
  runtimeClass,
  endpointSlice,
  priorityClass,
  csiDriver,
  csiNode,
  csiStorageCapacity,
  storageClass,
  volumeAttachment,
  volumeAttributesClass,
  customResourceDefinition,
];
