import { mkdirSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path/posix';
import { openInside } from '../../linux/filesystem.ts';
import { readMountInfo } from '../../linux/mount-info.ts';
import type { MountInfo } from '../../linux/mount-info.ts';
import { hasCode } from '../../linux/system-error.ts';
import type { Mount } from '../cri/types.ts';
import { CriError, invalidArgument, messageOf, notFound } from '../errors.ts';
import { hostImageName, type ImageRecord } from '../images/index.ts';
import type { ContainerMount } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import { securityOf } from './status.ts';
import type { SandboxPaths } from '../sandboxes/sandbox-files.ts';
import type { ContainerRecord } from './record.ts';

export interface OwnMounts {
  /** Its hostname, hosts and resolv.conf, unless the kubelet gives its own. */
  sandbox: SandboxPaths;
  /** What volumesOf() says. */
  imageVolumes: ContainerMount[];
}

/**
 * What is mounted into a container, in the order to mount it: outer before inner, so that none hides another, and of the same depth
 * the kubelet's first (containerd's WithMounts). Throws for a source that cannot be mounted so.
 */
export function mountsFor(
  runtime: Runtime,
  container: ContainerRecord,
  { sandbox, imageVolumes }: OwnMounts,
): ContainerMount[] {
  const given = container.config.mounts;
  const readOnly = securityOf(container.config)?.readonlyRootfs ?? false;
  const taken = new Set(given.map(({ containerPath }) => resolve('/', containerPath)));
  const own = [
    { source: sandbox.hostname, target: '/etc/hostname', readOnly },
    { source: sandbox.hosts, target: '/etc/hosts', readOnly },
    { source: sandbox.resolvConf, target: '/etc/resolv.conf', readOnly },
  ].filter(({ target }) => !taken.has(target));
  // By the id that was leased: a tag may have moved since.
  const imageIds = container.mountedImageIds.values();
  const asked = given.map((mount) =>
    isImageMount(mount)
      ? imageMount(runtime.images.rootfsOf({ id: imageIds.next().value ?? '' }), mount)
      : hostMount(mount),
  );
  return [...asked, ...own, ...imageVolumes].toSorted(
    (one, other) => depth(one.target) - depth(other.target),
  );
}

const depth = (path: string): number => resolve('/', path).split('/').filter(Boolean).length;

const propagations = {
  PROPAGATION_PRIVATE: 'private',
  PROPAGATION_HOST_TO_CONTAINER: 'host-to-container',
  PROPAGATION_BIDIRECTIONAL: 'bidirectional',
} as const;

function hostMount(mount: Mount): ContainerMount {
  const { containerPath, hostPath, readonly, recursiveReadOnly } = mount;
  if (mount.uidMappings.length > 0 || mount.gidMappings.length > 0)
    throw invalidArgument(`mount ${containerPath}: id-mapped mounts are not supported by this runtime`);
  const propagation = propagations[mount.propagation];
  checkRecursiveReadOnly(mount);
  const source = existingSource(hostPath);
  checkPropagation(source, propagation);
  return { source, target: containerPath, readOnly: readonly, recursiveReadOnly, propagation };
}

function checkRecursiveReadOnly({ containerPath, readonly, recursiveReadOnly, propagation }: Mount): void {
  if (!recursiveReadOnly) return;
  if (!readonly) throw invalidArgument(`mount ${containerPath}: recursive_read_only needs readonly`);
  if (propagation !== 'PROPAGATION_PRIVATE')
    throw invalidArgument(`mount ${containerPath}: recursive_read_only needs private propagation`);
}

// A directory that is not there is made, as containerd does it.
function existingSource(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw mountFailure(path, error);
  }
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return realpathSync(path);
  } catch (error) {
    throw mountFailure(path, error);
  }
}

const mountFailure = (path: string, error: unknown): CriError =>
  new CriError(
    'UNKNOWN',
    `failed to generate container spec: failed to mkdir ${JSON.stringify(path)}: ${messageOf(error)}`,
  );

function checkPropagation(source: string, propagation: ContainerMount['propagation']): void {
  if (propagation === undefined || propagation === 'private') return;
  const { mountPoint, optional } = mountOf(source);
  const shared = optional.some((tag) => tag.startsWith('shared:'));
  const slave = optional.some((tag) => tag.startsWith('master:'));
  const words = propagation === 'bidirectional' ? 'a shared mount' : 'a shared or slave mount';
  if (shared || (slave && propagation === 'host-to-container')) return;
  const where = `path ${JSON.stringify(source)} is mounted on ${JSON.stringify(mountPoint)}`;
  throw new CriError('UNKNOWN', `failed to generate container spec: ${where} but it is not ${words}`);
}

function mountOf(path: string): MountInfo {
  const covers = ({ mountPoint }: MountInfo): boolean =>
    mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
  const found = readMountInfo()
    .filter(covers)
    .toSorted((one, other) => other.mountPoint.length - one.mountPoint.length)[0];
  if (found === undefined) throw new CriError('UNKNOWN', `no mount found for ${path}`);
  return found;
}

/** Whether an image is mounted, not a path of the host. */
export const isImageMount = ({ image }: Mount): boolean => Boolean(image?.image);

/**
 * The image of a mount. Throws NOT_FOUND, and for the host's own root: as a container's root it is only looked at, through an overlay; a
 * mount of it would be the host itself, with the sockets and all that is mounted there, for a Pod that may mount nothing of the host.
 */
export function mountedImage(runtime: Runtime, mount: Mount): ImageRecord {
  const name = mount.image?.image ?? '';
  const image = runtime.images.find(name);
  if (image === undefined)
    throw notFound(`failed to find image ${JSON.stringify(name)} for mount ${mount.containerPath}`);
  if (image.tags.includes(hostImageName))
    throw invalidArgument(`mount ${mount.containerPath}: image ${hostImageName} is not mounted as a volume`);
  return image;
}

// KEP-4639: always read-only; the sub path is followed inside the image only.
function imageMount(rootfs: string, { containerPath, imageSubPath }: Mount): ContainerMount {
  try {
    using source = openInside(rootfs, imageSubPath === '' ? '.' : imageSubPath);
    return { source: source.realPath(), target: containerPath, readOnly: true, propagation: 'private' };
  } catch (error) {
    const what = `image volume subpath ${JSON.stringify(imageSubPath)}`;
    throw new CriError('UNKNOWN', `failed to mount ${what}: ${messageOf(error)}`, { cause: error });
  }
}
