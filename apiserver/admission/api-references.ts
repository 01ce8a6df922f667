import type { Container, PodSpec, Volume } from '../../api/types.ts';

/**
 * What a Pod needs of the API, in the words of a refusal; undefined when a kubelet alone can run it. Mirror Pods must be such: by one that
 * names a Secret, a node could read the Secret (upstream: pkg/api/pod HasAPIObjectReference).
 */
export function apiReferenceOf(spec: PodSpec): string | undefined {
  if (spec.serviceAccountName) return 'serviceaccounts';
  const containers: Container[] = [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ];
  if (spec.imagePullSecrets?.some(({ name }) => name) || containers.some(namesSecret)) return 'secrets';
  const volumes = spec.volumes ?? [];
  if (volumes.some(volumeNamesSecret)) return 'secrets';
  if (containers.some(namesConfigMap) || volumes.some(volumeNamesConfigMap)) return 'configmaps';
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims';
  for (const volume of volumes) {
    const reference = referenceOfVolume(volume);
    if (reference !== undefined) return reference;
  }
  return undefined;
}

const namesSecret = ({ env, envFrom }: Container): boolean =>
  env?.some(({ valueFrom }) => valueFrom?.secretKeyRef?.name) === true ||
  envFrom?.some(({ secretRef }) => secretRef?.name) === true;

const namesConfigMap = ({ env, envFrom }: Container): boolean =>
  env?.some(({ valueFrom }) => valueFrom?.configMapKeyRef?.name) === true ||
  envFrom?.some(({ configMapRef }) => configMapRef?.name) === true;

const volumeNamesSecret = (volume: Volume): boolean =>
  Boolean(
    volume.secret?.secretName ||
    volume.azureFile?.secretName ||
    volume.cephfs?.secretRef?.name ||
    volume.cinder?.secretRef?.name ||
    volume.flexVolume?.secretRef?.name ||
    volume.iscsi?.secretRef?.name ||
    volume.rbd?.secretRef?.name ||
    volume.scaleIO?.secretRef?.name ||
    volume.storageos?.secretRef?.name ||
    volume.csi?.nodePublishSecretRef?.name ||
    volume.projected?.sources?.some(({ secret }) => secret?.name),
  );

const volumeNamesConfigMap = (volume: Volume): boolean =>
  Boolean(volume.configMap?.name || volume.projected?.sources?.some(({ configMap }) => configMap?.name));

function referenceOfVolume(volume: Volume): string | undefined {
  if (volume.csi !== undefined) return 'csidrivers (via CSI volumes)';
  if (volume.glusterfs !== undefined) return 'endpoints (via glusterFS volumes)';
  if (volume.persistentVolumeClaim !== undefined) return 'persistentvolumeclaims';
  if (volume.ephemeral !== undefined) return 'persistentvolumeclaims (via ephemeral volumes)';
  if (volume.azureFile !== undefined) return 'secrets (via azureFile volumes)';
  if (volume.configMap !== undefined) return 'configmaps (via configmap volumes)';
  if (volume.secret !== undefined) return 'secrets (via secret volumes)';
  for (const source of volume.projected?.sources ?? []) {
    if (source.configMap !== undefined) return 'configmaps (via projected volumes)';
    if (source.secret !== undefined) return 'secrets (via projected volumes)';
    if (source.serviceAccountToken !== undefined) return 'serviceaccounts (via projected volumes)';
    if (source.clusterTrustBundle !== undefined) return 'clustertrustbundles';
    if (source.podCertificate !== undefined) return 'podcertificates';
  }
  return undefined;
}
