import type { Authorizer } from '../authorization/authorizer.ts';
import type { RbacAuthorizer } from '../authorization/rbac.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionPlugin } from './admission.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';

/** What plugins judge with. */
export interface AdmissionOptions {
  stores: Stores;
  authorizer: Authorizer;
  rbac: RbacAuthorizer;
}

/** The compiled-in plugins in upstream's order. */
export const admissionPlugins = (options: AdmissionOptions): AdmissionPlugin[] => [
  namespaceLifecycle(options),
];
