import type { PersistentVolume, SecretReference } from '../../api/types.ts';

/**
 * The Secrets that a kubelet needs to mount a volume; those for the controller's side of a CSI driver are none of its business
 * (upstream: pkg/api/v1/persistentvolume VisitPVSecretNames, those marked visible to the kubelet).
 */
export function nodeSecretsOf({ spec = {} }: PersistentVolume): { namespace: string; name: string }[] {
  const { csi, azureFile } = spec;
  const claimNamespace = spec.claimRef?.namespace ?? '';
  const references: (SecretReference | undefined)[] = [
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    spec.cephfs?.secretRef,
    spec.cinder?.secretRef,
    spec.flexVolume?.secretRef,
    spec.rbd?.secretRef,
    spec.scaleIO?.secretRef,
    spec.iscsi?.secretRef,
    spec.storageos?.secretRef,
    azureFile === undefined
      ? undefined
      : { name: azureFile.secretName ?? '', namespace: azureFile.secretNamespace ?? '' },
  ];
  return references.flatMap((reference) =>
    reference?.name ? [{ name: reference.name, namespace: reference.namespace || claimNamespace }] : [],
  );
}
