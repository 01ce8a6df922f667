import { quantityOf } from '../../../api/quantity.ts';
import { externalProvisionerProtection, provisionedBy } from '../../../api/storage/annotations.ts';
import { referenceToClaim } from '../../../api/storage/bind-volume.ts';
import { classOfClaim } from '../../../api/storage/storage-class.ts';
import type { PersistentVolume } from '../../../api/types.ts';
import { translateCsiPv, zoneKeyFor } from '../../translation/index.ts';
import type { Volume } from '../../types.ts';
import type { SecretRef } from '../secrets.ts';
import type { Provisioner } from './settings.ts';
import { volumeNodeAffinity } from './topology.ts';
import { volumeName } from './volume-request.ts';
import type { Asked, VolumeRequest } from './volume-request.ts';

/** Annotations by which a volume's secrets are found again when its class is gone. */
export const deletionSecret = {
  name: 'volume.kubernetes.io/provisioner-deletion-secret-name',
  namespace: 'volume.kubernetes.io/provisioner-deletion-secret-namespace',
} as const;
export const modifySecret = {
  name: 'volume.kubernetes.io/controller-modify-secret-name',
  namespace: 'volume.kubernetes.io/controller-modify-secret-namespace',
} as const;

export interface VolumeOptions extends Asked {
  prepared: VolumeRequest;
  /** The driver's answer. */
  volume: Volume;
  /** Whether the driver's volumes are bound to places. */
  hasTopology: boolean;
}

/** The PersistentVolume for a volume that the driver has made, reserved for its claim. */
export function persistentVolumeFor(provisioner: Provisioner, options: VolumeOptions): PersistentVolume {
  const { claim, storageClass, prepared, volume, hasTopology } = options;
  const { volumeMode, accessModes, volumeAttributesClassName = '' } = claim.spec ?? {};
  const { mountOptions, reclaimPolicy } = storageClass;
  const affinity = hasTopology ? volumeNodeAffinity(volume.accessibleTopology) : undefined;
  const bytes = volume.capacityBytes || (prepared.request.capacityRange?.requiredBytes ?? 0);
  const pv: PersistentVolume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeName(claim),
      finalizers: [externalProvisionerProtection],
      annotations: {
        [provisionedBy]: storageClass.provisioner,
        ...secretAnnotations(deletionSecret, prepared.secrets.provisioner ?? { name: '', namespace: '' }),
        ...secretAnnotations(modifySecret, prepared.secrets.controllerModify),
      },
    },
    spec: {
      capacity: { storage: quantityOf(bytes, 'BinarySI') },
      csi: csiSource(provisioner, options),
      claimRef: referenceToClaim(claim),
      storageClassName: classOfClaim(claim),
      ...(accessModes === undefined ? {} : { accessModes }),
      ...(mountOptions === undefined ? {} : { mountOptions }),
      ...(reclaimPolicy === undefined ? {} : { persistentVolumeReclaimPolicy: reclaimPolicy }),
      ...(affinity === undefined ? {} : { nodeAffinity: affinity }),
      ...(volumeMode === undefined ? {} : { volumeMode }),
      ...(volumeAttributesClassName === '' ? {} : { volumeAttributesClassName }),
    },
  };
  return prepared.migrated ? inTree(provisioner, pv) : pv;
}

const secretAnnotations = (
  keys: { name: string; namespace: string },
  ref: SecretRef | undefined,
): Record<string, string> =>
  ref === undefined ? {} : { [keys.name]: ref.name, [keys.namespace]: ref.namespace };

function csiSource(
  { driver, identity, options: { controllerPublishReadOnly } }: Provisioner,
  { claim, prepared, volume }: VolumeOptions,
): NonNullable<NonNullable<PersistentVolume['spec']>['csi']> {
  const { controllerPublish, nodeStage, nodePublish, controllerExpand, nodeExpand } = prepared.secrets;
  const [only, ...others] = prepared.request.volumeCapabilities;
  const isReadOnly = others.length === 0 && only?.accessMode?.mode === 'MULTI_NODE_READER_ONLY';
  return {
    driver: driver.name,
    volumeHandle: volume.volumeId,
    volumeAttributes: { 'storage.kubernetes.io/csiProvisionerIdentity': identity, ...volume.volumeContext },
    ...(claim.spec?.volumeMode === 'Block' ? {} : { fsType: prepared.fsType }),
    ...(isReadOnly && controllerPublishReadOnly ? { readOnly: true } : {}),
    ...(controllerPublish === undefined ? {} : { controllerPublishSecretRef: controllerPublish }),
    ...(nodeStage === undefined ? {} : { nodeStageSecretRef: nodeStage }),
    ...(nodePublish === undefined ? {} : { nodePublishSecretRef: nodePublish }),
    ...(controllerExpand === undefined ? {} : { controllerExpandSecretRef: controllerExpand }),
    ...(nodeExpand === undefined ? {} : { nodeExpandSecretRef: nodeExpand }),
  };
}

function inTree({ driver }: Provisioner, pv: PersistentVolume): PersistentVolume {
  const terms = pv.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const keys = terms.flatMap(({ matchExpressions = [] }) => matchExpressions.map(({ key }) => key));
  return translateCsiPv(pv, { zoneKey: zoneKeyFor(driver.name, keys) });
}
