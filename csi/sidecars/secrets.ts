import { quote } from '../../api/go-format.ts';
import type { PersistentVolumeClaim } from '../../api/types.ts';
import { secretRefOf } from '../snapshots/secrets.ts';
import type { SecretParameters, SecretRef } from '../snapshots/secrets.ts';

export { credentialsOf } from '../snapshots/secrets.ts';
export type { SecretRef } from '../snapshots/secrets.ts';

const prefix = 'csi.storage.k8s.io/';

/** A class's parameters that name the secret of a call, the older ones (which the driver gets too) among them. */
interface ClassSecret extends SecretParameters {
  deprecated?: { nameKey: string; namespaceKey: string };
}

const classSecret = (label: string, key: string, deprecated?: string): ClassSecret => ({
  label,
  nameKey: `${prefix}${key}-name`,
  namespaceKey: `${prefix}${key}-namespace`,
  ...(deprecated === undefined
    ? {}
    : { deprecated: { nameKey: `${deprecated}Name`, namespaceKey: `${deprecated}Namespace` } }),
});

/** The secrets that a StorageClass can name, by the call that gets them. */
export const classSecrets = {
  default: classSecret('Default', 'secret'),
  provisioner: classSecret('Provisioner', 'provisioner-secret', 'csiProvisionerSecret'),
  controllerPublish: classSecret(
    'ControllerPublish',
    'controller-publish-secret',
    'csiControllerPublishSecret',
  ),
  nodeStage: classSecret('NodeStage', 'node-stage-secret', 'csiNodeStageSecret'),
  nodePublish: classSecret('NodePublish', 'node-publish-secret', 'csiNodePublishSecret'),
  controllerExpand: classSecret('ControllerExpand', 'controller-expand-secret'),
  nodeExpand: classSecret('NodeExpand', 'node-expand-secret'),
  controllerModify: classSecret('ControllerModify', 'controller-modify-secret'),
} as const;

/** The keys of parameters that name secrets or the file system: they are ours, and not passed to the driver. */
export const reservedParameters: ReadonlySet<string> = new Set([
  `${prefix}fstype`,
  ...Object.values(classSecrets).flatMap(({ nameKey, namespaceKey }) => [nameKey, namespaceKey]),
]);

export interface ClassSecretOptions {
  parameters: Record<string, string>;
  pvName: string;
  claim: PersistentVolumeClaim;
}

/**
 * The secret that a class names for a call, else the one it names for all calls; undefined when there is none. A name may
 * use `${pv.name}`, `${pvc.name}`, `${pvc.namespace}` and `${pvc.annotations['KEY']}`; a namespace only what the claim's user
 * can't choose: `${pv.name}` and `${pvc.namespace}`. Throws an Error in upstream's words.
 */
export function classSecretRef(secret: ClassSecret, options: ClassSecretOptions): SecretRef | undefined {
  return refOf(secret, options) ?? refOf(classSecrets.default, options);
}

function refOf(
  secret: ClassSecret,
  { parameters, pvName, claim }: ClassSecretOptions,
): SecretRef | undefined {
  const { name = '', namespace = '', annotations = {} } = claim.metadata ?? {};
  const ofAnnotations = Object.entries(annotations).map(([key, value]) => [
    `pvc.annotations['${key}']`,
    value,
  ]);
  return secretRefOf({
    secret,
    parameters: withDeprecated(secret, parameters),
    namespaceTokens: { 'pv.name': pvName, 'pvc.namespace': namespace },
    nameTokens: { 'pvc.name': name, ...(Object.fromEntries(ofAnnotations) as Record<string, string>) },
  });
}

function withDeprecated(
  { label, nameKey, namespaceKey, deprecated }: ClassSecret,
  parameters: Record<string, string>,
): Record<string, string> {
  if (deprecated === undefined) return parameters;
  const result = { ...parameters };
  const pairs = [
    [deprecated.nameKey, nameKey],
    [deprecated.namespaceKey, namespaceKey],
  ] as const;
  for (const [older, key] of pairs) {
    const value = parameters[older];
    if (value === undefined) continue;
    if (parameters[key] !== undefined)
      throw new Error(
        `failed to get name and namespace template from params: ${label} secrets specified in parameters with both "csi" and ${quote(prefix)} keys`,
      );
    result[key] = value;
  }
  return result;
}
