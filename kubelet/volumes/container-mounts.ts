import { isAbsolute, join } from 'node:path';
import { quote } from '../../api/go-format.ts';
import type { Container, Pod, Volume, VolumeMount } from '../../api/types.ts';
import type { ImageSpec, Mount, MountPropagation } from '../../runtime/cri/types.ts';
import { ContainerConfigError } from '../environment/container-config-error.ts';
import { expandSubPath } from '../environment/expand-container.ts';
import type { EnvironmentVariable } from '../environment/expand-container.ts';
import type { PluginVolumeStats } from './plugin.ts';
import { prepareSubPath, SubPathDirectoryError } from './sub-path.ts';
import type { VolumeSpec } from './volume-spec.ts';

/** A mount as CRI's CreateContainer takes it. */
export type ContainerMount = Partial<Mount> &
  Pick<Mount, 'containerPath' | 'hostPath' | 'readonly' | 'propagation'>;

/** A volume of the Pod that is there. */
export interface MountedVolume {
  name: string;
  /** Its path on this node; empty for an image, which the runtime mounts. */
  hostPath: string;
  /** Containers get it read-only, whatever they ask for. */
  readOnly: boolean;
  volume: Volume;
  spec: VolumeSpec;
  /** A block volume: `hostPath` is its device. */
  isDevice: boolean;
  /** Asks the volume's plugin how full it is; not given when the file system is asked. */
  ownStats?: (() => Promise<PluginVolumeStats | undefined>) | undefined;
}

export interface ContainerMountsOptions {
  pod: Pod;
  container: Pick<Container, 'name' | 'volumeMounts'>;
  /** The container's environment, for subPathExpr. */
  environment: readonly EnvironmentVariable[];
  /** By volume name: the images that were pulled for image volumes. Default: the reference in the Pod. */
  imageVolumes?: ReadonlyMap<string, Partial<ImageSpec>> | undefined;
  /** The runtime's recursive_read_only_mounts feature; default true. */
  recursiveReadOnlySupported?: boolean | undefined;
}

export interface MountSources {
  /** `pods/<uid>`. */
  podDir: string;
  volumes: ReadonlyMap<string, MountedVolume>;
}

/**
 * The mounts of a container's volumeMounts, in their order; sub paths are bound in the pod's directory on the way. Throws
 * ContainerConfigError with upstream's words (kubelet_pods.go makeMounts).
 */
export const containerMounts = (options: ContainerMountsOptions, sources: MountSources): ContainerMount[] =>
  (options.container.volumeMounts ?? []).map((mount, index) =>
    mountOf(mount, { ...options, ...sources, index }),
  );

type Context = ContainerMountsOptions & MountSources & { index: number };

const mountOf = (mount: VolumeMount, context: Context): ContainerMount => {
  const { container, volumes, environment } = context;
  const mounted = volumes.get(mount.name);
  if (mounted === undefined || mounted.isDevice) {
    throw new ContainerConfigError(
      `cannot find volume ${quote(mount.name)} to mount into container ${quote(container.name)}`,
    );
  }
  const subPath = checkedSubPath(expandSubPath(mount, environment));
  return {
    containerPath: isAbsolute(mount.mountPath) ? mount.mountPath : join('/', mount.mountPath),
    ...sourceOf({ mounted, subPath, mount, context }),
    readonly: mount.readOnly === true || mounted.readOnly,
    recursiveReadOnly: isRecursiveReadOnly(mount, context.recursiveReadOnlySupported ?? true),
    propagation: propagationOf(mount.mountPropagation),
  };
};

const checkedSubPath = (subPath: string): string => {
  if (isAbsolute(subPath)) {
    throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split('/').includes('..')) {
    throw new ContainerConfigError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
  }
  return subPath;
};

interface Source {
  mounted: MountedVolume;
  subPath: string;
  mount: VolumeMount;
  context: Context;
}

const sourceOf = ({ mounted, subPath, mount, context }: Source): Partial<Mount> & Pick<Mount, 'hostPath'> => {
  const { image } = mounted.volume;
  if (image !== undefined) {
    const pulled = context.imageVolumes?.get(mounted.name);
    const spec = { image: image.reference ?? '', annotations: {}, userSpecifiedImage: image.reference ?? '' };
    return {
      hostPath: '',
      image: { ...spec, runtimeHandler: '', imageRef: '', ...pulled },
      imageSubPath: subPath,
    };
  }
  if (subPath === '') return { hostPath: mounted.hostPath };
  const { podDir, container, index } = context;
  try {
    const hostPath = prepareSubPath({
      podDir,
      volumeName: mounted.spec.name,
      volumePath: mounted.hostPath,
      containerName: container.name,
      index,
      subPath,
    });
    return { hostPath };
  } catch (error) {
    // The cause tells of the node's file system, which is not for the Pod's status.
    const step = error instanceof SubPathDirectoryError ? 'create subPath directory' : 'prepare subPath';
    throw new ContainerConfigError(
      `failed to ${step} for volumeMount ${quote(mount.name)} of container ${quote(container.name)}`,
      { cause: error },
    );
  }
};

const isRecursiveReadOnly = (mount: VolumeMount, supported: boolean): boolean => {
  const { name, recursiveReadOnly: mode = 'Disabled', readOnly, mountPropagation = 'None' } = mount;
  if (mode === 'Disabled') return false;
  const refuse = (why: string): never => {
    throw new ContainerConfigError(`failed to resolve recursive read-only mode: ${why}`);
  };
  const requested = `volume ${quote(name)} requested recursive read-only mode`;
  if (readOnly !== true) return refuse(`${requested}, but it is not read-only`);
  if (mountPropagation !== 'None') {
    return refuse(`${requested}, but it is not compatible with propagation ${quote(mountPropagation)}`);
  }
  if (mode === 'IfPossible') return supported;
  if (mode !== 'Enabled') return refuse(`unknown recursive read-only mode ${quote(mode)}`);
  return supported || refuse(`${requested}, but it is not supported by the runtime`);
};

const propagations: Record<string, MountPropagation> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

const propagationOf = (mode = 'None'): MountPropagation => {
  const propagation = propagations[mode];
  if (propagation !== undefined) return propagation;
  throw new ContainerConfigError(`invalid MountPropagation mode: ${quote(mode)}`);
};
