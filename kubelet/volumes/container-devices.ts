import type { Container } from '../../api/types.ts';
import type { Device } from '../../runtime/cri/types.ts';
import { ContainerConfigError } from '../environment/container-config-error.ts';
import type { MountedVolume } from './container-mounts.ts';

/**
 * The block volumes of a container as the devices that CRI's CreateContainer takes. Throws ContainerConfigError (upstream:
 * kubelet_pods.go makeBlockVolumes).
 */
export const containerDevices = (
  { name, volumeDevices = [] }: Pick<Container, 'name' | 'volumeDevices'>,
  volumes: ReadonlyMap<string, MountedVolume>,
): Device[] =>
  volumeDevices.map((device) => {
    const mounted = volumes.get(device.name);
    if (mounted === undefined || !mounted.isDevice) {
      const words = `cannot find volume "${device.name}" to pass into container "${name}"`;
      throw new ContainerConfigError(words);
    }
    return {
      containerPath: device.devicePath,
      hostPath: mounted.hostPath,
      permissions: mounted.readOnly ? 'r' : 'mrw',
    };
  });
