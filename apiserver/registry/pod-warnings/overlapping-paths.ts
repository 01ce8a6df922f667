import { quote } from '../../../api/go-format.ts';
import type { Volume, VolumeProjection } from '../../../api/types.ts';

/** A file of a volume, and what of the volume it comes from. */
interface PlacedFile {
  path: string;
  source?: string;
}

/** Of files of one volume that are at the same path, or one below the other. */
export function overlapWarnings({ name, configMap, secret, downwardAPI, projected }: Volume): string[] {
  const warn = (files: PlacedFile[], type: string): string[] =>
    overlaps(files).map((words) => `volume ${quote(name)} (${type}): overlapping paths: ${words}`);
  return [
    ...warn(configMap?.items ?? [], `ConfigMap ${quote(configMap?.name ?? '')}`),
    ...warn(secret?.items ?? [], `Secret ${quote(secret?.secretName ?? '')}`),
    ...warn(downwardAPI?.items ?? [], 'DownwardAPI'),
    ...(projected?.sources ?? [])
      .filter((source) => Object.keys(source).length === 0)
      .map(() => `volume ${quote(name)} (Projected) has no sources provided`),
    ...warn((projected?.sources ?? []).flatMap(filesOf), 'Projected'),
  ];
}

/** The files that a source is known to bring; of a whole ConfigMap or Secret it is known only later. */
function filesOf(source: VolumeProjection): PlacedFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
  const from = (items: { path: string }[] | undefined, name: string): PlacedFile[] =>
    (items ?? []).map(({ path }) => ({ path, source: name }));
  return [
    ...from(configMap?.items, `ConfigMap ${quote(configMap?.name ?? '')}`),
    ...from(secret?.items, `Secret ${quote(secret?.name ?? '')}`),
    ...from(downwardAPI?.items, 'DownwardAPI'),
    ...from(serviceAccountToken && [serviceAccountToken], 'ServiceAccountToken'),
    ...from(
      clusterTrustBundle && [clusterTrustBundle],
      `ClusterTrustBundle ${quote(clusterTrustBundle?.name ?? clusterTrustBundle?.signerName ?? '')}`,
    ),
    { path: podCertificate?.certificateChainPath ?? '', source: 'PodCertificate chain' },
    { path: podCertificate?.keyPath ?? '', source: 'PodCertificate key' },
    { path: podCertificate?.credentialBundlePath ?? '', source: 'PodCertificate credential bundle' },
  ];
}

/** Each pair that is in its own way, the later first. */
function overlaps(files: PlacedFile[]): string[] {
  const trimmed = files.map(({ path, ...rest }) => ({ path: path.replace(/\/+$/, ''), ...rest }));
  const named = trimmed.filter(({ path }) => path !== '');
  return named.flatMap((file, index) =>
    named
      .slice(0, index)
      .filter(({ path }) => isWithin(path, file.path) || isWithin(file.path, path))
      .map((other) => `${shown(file)} with ${shown(other)}`),
  );
}

const isWithin = (path: string, directory: string): boolean => `${path}/`.startsWith(`${directory}/`);

const shown = ({ path, source }: PlacedFile): string =>
  source === undefined ? quote(path) : `${quote(path)} (${source})`;
