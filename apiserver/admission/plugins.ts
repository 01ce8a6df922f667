import type { Authorizer } from '../authorization/authorizer.ts';
import type { RbacAuthorizer } from '../authorization/rbac.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionPlugin } from './admission.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { priority } from './priority.ts';
import { rbacEscalation } from './rbac-escalation.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';

/** What plugins judge with. */
export interface AdmissionOptions {
  stores: Stores;
  authorizer: Authorizer;
  rbac: RbacAuthorizer;
}

/** The compiled-in plugins in upstream's order. */
export const admissionPlugins = (options: AdmissionOptions): AdmissionPlugin[] => [
  namespaceLifecycle(options),
  limitRanger(options),
  serviceAccount(options),
  nodeRestriction(options),
  taintNodesByCondition,
  priority(options),
  defaultTolerationSeconds,
  defaultStorageClass(options),
  storageObjectInUseProtection,
  persistentVolumeClaimResize(options),
  runtimeClass(options),
  podTopologyLabels(options),
  rbacEscalation(options),
];
