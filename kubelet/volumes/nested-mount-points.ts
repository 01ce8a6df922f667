import { join, posix } from 'node:path';
import type { Container, Pod } from '../../api/types.ts';
import { makeDirectoryInside } from './make-directory-inside.ts';

/**
 * Makes the directories in a read-only volume that other volumes of the Pod are mounted on (`/etc/app` and `/etc/app/extra`):
 * the runtime can't make them any more when it mounts. Upstream: pkg/volume/util/nested_volumes.go.
 */
export const makeNestedMountPoints = (directory: string, volumeName: string, { spec }: Pod): void => {
  const containers: Pick<Container, 'volumeMounts'>[] = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const nested = new Set(containers.flatMap((container) => nestedPaths(container, volumeName)));
  for (const path of nested) {
    using _made = makeDirectoryInside({ root: directory, path, mode: 0o755 });
  }
};

/** Paths in the volume that hold another mount of the container, without those below a path that is listed already. */
const nestedPaths = (
  { volumeMounts = [] }: Pick<Container, 'volumeMounts'>,
  volumeName: string,
): string[] => {
  const mountPoints = volumeMounts.map(({ mountPath }) => clean(mountPath)).sort();
  const own = volumeMounts.filter(({ name, subPath = '', subPathExpr = '' }) => {
    return name === volumeName && subPath === '' && subPathExpr === '';
  });
  return own.flatMap(({ mountPath }) => {
    const prefix = `${clean(mountPath).replace(/\/$/, '')}/`;
    const below = mountPoints
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
    return below.filter((path) => !below.some((other) => path.startsWith(`${other}/`)));
  });
};

const clean = (path: string): string => join('/', posix.normalize(path)).replace(/(.)\/$/, '$1');
