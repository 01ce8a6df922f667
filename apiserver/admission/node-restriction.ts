import { isDeepStrictEqual } from 'node:util';
import type { AuthenticationV1TokenRequest, Node, PersistentVolumeClaim, Pod } from '../../api/types.ts';
import { mirrorAnnotation } from '../../api/validation/pod/pod.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { jsonDiff } from '../../api/validation/unified-diff.ts';
import { nodeNameOf } from '../authentication/user.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { apiReferenceOf } from './api-references.ts';
import { isMirror, refuse } from './pod-creation.ts';

/** Keeps kubelets to their own Node, Pods and tokens (https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction). */
export const nodeRestriction = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'NodeRestriction',
  validate(attributes) {
    const { request } = attributes;
    const node = nodeNameOf(request.user);
    if (node === undefined) return;
    switch (`${request.kind.group}/${request.kind.plural}`) {
      case '/nodes':
        return checkNode(attributes, node);
      case '/pods':
        return request.subresource === undefined
          ? checkPod(attributes, node, stores)
          : checkPodPart(attributes, node);
      case '/serviceaccounts':
        return checkToken(attributes, node, stores);
      case '/persistentvolumeclaims':
        return checkClaimStatus(attributes, node);
      case 'coordination.k8s.io/leases':
        return checkLease(attributes, node);
      case 'storage.k8s.io/csinodes':
        return checkCsiNode(attributes, node);
      default:
    }
  },
});

const nameOf = ({ object, oldObject }: AdmissionAttributes): string =>
  object?.metadata.name ?? oldObject?.metadata.name ?? '';

function checkNode(attributes: AdmissionAttributes, node: string): void {
  const { operation, object, oldObject } = attributes;
  const quoted = JSON.stringify(node);
  if (nameOf(attributes) !== node) {
    throw refuse(
      attributes,
      `node ${quoted} is not allowed to modify node ${JSON.stringify(nameOf(attributes))}`,
    );
  }
  const [current, old] = [object as Node | undefined, oldObject as Node | undefined];
  if (operation === 'CREATE') {
    const forbidden = forbiddenLabels(current?.metadata?.labels ?? {}, {});
    if (forbidden.length === 0) return;
    throw refuse(
      attributes,
      `node ${quoted} is not allowed to set the following labels: ${forbidden.join(', ')}`,
    );
  }
  if (operation !== 'UPDATE') return;
  if (!isDeepStrictEqual(current?.spec?.taints ?? [], old?.spec?.taints ?? [])) {
    throw refuse(attributes, `node ${quoted} is not allowed to modify taints`);
  }
  if (!isDeepStrictEqual(current?.metadata?.ownerReferences ?? [], old?.metadata?.ownerReferences ?? [])) {
    throw refuse(attributes, `node ${quoted} is not allowed to modify ownerReferences`);
  }
  const changed = forbiddenLabels(current?.metadata?.labels ?? {}, old?.metadata?.labels ?? {});
  if (changed.length > 0) throw refuse(attributes, `is not allowed to modify labels: ${changed.join(', ')}`);
}

const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
]);
const KUBELET_PREFIXES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

/** Labels of kubernetes.io that a kubelet may not set, among those that differ. */
function forbiddenLabels(labels: Record<string, string>, old: Record<string, string>): string[] {
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(old)])].filter(
    (key) => labels[key] !== old[key],
  );
  return changed.filter(isForbiddenLabel).toSorted();
}

function isForbiddenLabel(key: string): boolean {
  const [prefix = '', name] = key.split('/');
  if (name === undefined) return false;
  if (prefix === 'node-restriction.kubernetes.io' || prefix.endsWith('.node-restriction.kubernetes.io'))
    return true;
  const isSystem = /(^|\.)(kubernetes|k8s)\.io$/.test(prefix);
  const isKubelets = KUBELET_PREFIXES.some((known) => prefix === known || prefix.endsWith(`.${known}`));
  return isSystem && !isKubelets && !KUBELET_LABELS.has(key);
}

function checkPod(attributes: AdmissionAttributes, node: string, stores: Stores): void {
  const { operation, object, oldObject } = attributes;
  const quoted = JSON.stringify(node);
  if (operation === 'DELETE') {
    if ((oldObject as Pod | undefined)?.spec?.nodeName === node) return;
    throw refuse(attributes, `node ${quoted} can only delete pods with spec.nodeName set to itself`);
  }
  if (operation !== 'CREATE') {
    throw refuse(
      attributes,
      `unexpected operation "${operation}", node ${quoted} can only create and delete mirror pods`,
    );
  }
  const pod = object as unknown as Pod;
  if (!isMirror(pod)) {
    throw refuse(
      attributes,
      `pod does not have "${mirrorAnnotation}" annotation, node ${quoted} can only create mirror pods`,
    );
  }
  if (pod.spec?.nodeName !== node) {
    throw refuse(attributes, `node ${quoted} can only create pods with spec.nodeName set to itself`);
  }
  checkOwner(attributes, { pod, node, stores });
  const reference = apiReferenceOf(pod.spec);
  if (reference !== undefined)
    throw refuse(attributes, `node ${quoted} can not create pods that reference ${reference}`);
}

function checkOwner(
  attributes: AdmissionAttributes,
  { pod, node, stores }: { pod: Pod; node: string; stores: Stores },
): void {
  const quoted = JSON.stringify(node);
  const [owner, ...others] = pod.metadata?.ownerReferences ?? [];
  if (others.length > 0) {
    throw refuse(
      attributes,
      `node ${quoted} can only create pods with a single owner reference set to itself`,
    );
  }
  if (owner === undefined || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    throw refuse(attributes, `node ${quoted} can only create pods with an owner reference set to itself`);
  }
  if (owner.controller !== true) {
    throw refuse(
      attributes,
      `node ${quoted} can only create pods with a controller owner reference set to itself`,
    );
  }
  if (owner.blockOwnerDeletion === true) {
    throw refuse(attributes, `node ${quoted} must not set blockOwnerDeletion on an owner reference`);
  }
  const uid = stores.named('', 'nodes').peek({ namespace: '', name: node })?.metadata.uid ?? '';
  if (owner.uid !== uid)
    throw refuse(attributes, `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`);
}

function checkPodPart(attributes: AdmissionAttributes, node: string): void {
  const { request, operation, object, oldObject } = attributes;
  const part = request.subresource?.name ?? '';
  const [pod, old] = [object as Pod | undefined, oldObject as Pod | undefined];
  if (part === 'eviction') {
    if (operation !== 'DELETE' || old?.spec?.nodeName === node) return;
    throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`);
  }
  if (part !== 'status') {
    throw refuse(
      attributes,
      `unexpected pod subresource "${part}", only 'status' and 'eviction' are allowed`,
    );
  }
  if (old?.spec?.nodeName !== node) {
    throw refuse(
      attributes,
      `node ${JSON.stringify(node)} can only update pod status for pods with spec.nodeName set to itself`,
    );
  }
  if (!isDeepStrictEqual(pod?.metadata?.labels ?? {}, old.metadata?.labels ?? {})) {
    throw refuse(attributes, `node ${JSON.stringify(node)} cannot update labels through pod status`);
  }
}

function checkToken(attributes: AdmissionAttributes, node: string, stores: Stores): void {
  const { request, object } = attributes;
  if (request.subresource?.name !== 'token') return;
  const reference = (object as unknown as AuthenticationV1TokenRequest).spec?.boundObjectRef;
  if (reference?.kind !== 'Pod' || !reference.name)
    throw refuse(attributes, 'node requested token not bound to a pod');
  if (!reference.uid) throw refuse(attributes, 'node requested token with a pod binding without a uid');
  const place = { namespace: request.info.namespace, name: reference.name };
  const pod = stores.named('', 'pods').peek(place) as Pod | undefined;
  if (pod?.metadata?.uid !== reference.uid) {
    const why = `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw refuse(attributes, why);
  }
  if (pod.spec?.nodeName !== node)
    throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node');
}

function checkLease(attributes: AdmissionAttributes, node: string): void {
  if (attributes.operation !== 'CREATE' || nameOf(attributes) === node) return;
  throw refuse(attributes, 'can only access node lease with the same name as the requesting node');
}

function checkCsiNode(attributes: AdmissionAttributes, node: string): void {
  if (nameOf(attributes) === node) return;
  throw refuse(attributes, 'can only access CSINode with the same name as the requesting node');
}

/** A kubelet tells how the growth of a claim's file system goes, and nothing else of it. */
function checkClaimStatus(attributes: AdmissionAttributes, node: string): void {
  const { request, operation, object, oldObject } = attributes;
  if (request.subresource?.name !== 'status') throw refuse(attributes, 'may only update PVC status');
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation "${operation}"`);
  const [before, after] = [oldObject, object].map((claim) => withoutExpansion(claim ?? {}));
  if (semanticEqual(before, after)) return;
  const why = `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions`;
  throw refuse(attributes, `${why}: ${jsonDiff(before, after)}`);
}

function withoutExpansion({ metadata = {}, status = {}, ...rest }: PersistentVolumeClaim) {
  const { resourceVersion: _version, managedFields: _managers, ...meta } = metadata;
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _allocated,
    allocatedResourceStatuses: _statuses,
    ...others
  } = status;
  return { ...rest, metadata: meta, status: others };
}
