/** Types of volumes that are no more or will be, and what is said of them, in Pods and in PersistentVolumes. */
const DEPRECATED_SOURCES = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  // Our kubelet still mounts it, but no other of v1.36 does.
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

export type DeprecatedSource = keyof typeof DEPRECATED_SOURCES;

/** How upstream's warnings spell a source where that isn't the field's name. */
const SPELLED: Partial<Record<DeprecatedSource, string>> = { storageos: 'storageOS' };

/** A warning for each of the sources `types` that a volume has. */
export function deprecatedSourceWarnings(
  volume: Partial<Record<DeprecatedSource, unknown>>,
  types: readonly DeprecatedSource[],
  path: string,
): string[] {
  return types
    .filter((type) => volume[type] !== undefined)
    .map((type) => `${path}.${SPELLED[type] ?? type}: ${DEPRECATED_SOURCES[type]}`);
}
