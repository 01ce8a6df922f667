import type { Volume } from '../../../api/types.ts';
import { claimSpecWarnings } from '../core/persistent-volume-claim.ts';
import { deprecatedSourceWarnings } from '../deprecated-sources.ts';
import type { DeprecatedSource } from '../deprecated-sources.ts';
import { overlapWarnings } from './overlapping-paths.ts';

const DEPRECATED: DeprecatedSource[] = [
  'photonPersistentDisk',
  'gitRepo',
  'scaleIO',
  'flocker',
  'storageos',
  'quobyte',
  'glusterfs',
  'cephfs',
  'rbd',
];

/** Of volumes that will not come, or not as they are meant; `path` is that of the list. */
export function volumeWarnings(volumes: Volume[] | undefined, path: string): string[] {
  return [
    ...(volumes ?? []).flatMap((volume, index) => [
      ...deprecatedSourceWarnings(volume, DEPRECATED, `${path}[${index}]`),
      ...claimSpecWarnings(
        volume.ephemeral?.volumeClaimTemplate?.spec,
        `${path}[${index}].ephemeral.volumeClaimTemplate.spec`,
      ),
    ]),
    ...(volumes ?? []).flatMap((volume) => overlapWarnings(volume)),
  ];
}
