import type { DownwardAPIVolumeFile, ProjectedVolumeSource, Volume } from '../types.ts';
import { defaultNetworkVolume } from './network-volume.ts';
import { defaultClaimSpec } from './storage.ts';
import { pullPolicyOf } from './container.ts';

const MODE_0644 = 0o644;

/** Defaults of a Pod's volume. A volume without a source is an emptyDir. */
export function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  const { hostPath, secret, configMap, downwardAPI, projected, image, ephemeral } = volume;
  if (hostPath !== undefined) hostPath.type ??= '';
  for (const source of [secret, configMap, downwardAPI, projected])
    if (source !== undefined) source.defaultMode ??= MODE_0644;
  for (const item of downwardAPI?.items ?? []) defaultDownwardItem(item);
  if (projected !== undefined) defaultProjected(projected);
  if (image !== undefined) image.pullPolicy ||= pullPolicyOf(image.reference ?? '');
  if (ephemeral?.volumeClaimTemplate !== undefined) defaultClaimSpec(ephemeral.volumeClaimTemplate.spec);
  defaultNetworkVolume(volume);
}

function defaultDownwardItem({ fieldRef, resourceFieldRef }: DownwardAPIVolumeFile): void {
  if (fieldRef !== undefined) fieldRef.apiVersion ||= 'v1';
  if (resourceFieldRef !== undefined) resourceFieldRef.divisor ||= '0';
}

function defaultProjected({ sources }: ProjectedVolumeSource): void {
  for (const source of sources ?? []) {
    for (const item of source.downwardAPI?.items ?? []) defaultDownwardItem(item);
    if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600;
  }
}
