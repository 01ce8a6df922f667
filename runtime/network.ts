import { join } from 'node:path';
import {
  addSandboxToNetwork,
  listAttachedSandboxes,
  loadNetworkConfiguration,
  removeSandboxFromNetwork,
} from './cni.ts';
import type { CniPlaces } from './cni.ts';
import { messageOf } from './errors.ts';
import type { SandboxNetwork } from './runtime.ts';

/** The sandboxes' network by the CNI plugins of a configuration directory. */
export function cniNetwork(options: { confDir: string; binDir: string; stateDir: string }): SandboxNetwork {
  const places: CniPlaces = { ...options, cacheDir: join(options.stateDir, 'cni') };
  return {
    notReadyReason() {
      try {
        loadNetworkConfiguration(places.confDir);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
    add({ id, netnsPath, config }) {
      const { name = '', namespace = '', uid = '' } = config.metadata ?? {};
      const hostPorts = config.portMappings.filter(({ hostPort }) => hostPort > 0);
      return addSandboxToNetwork({
        ...places,
        sandboxId: id,
        netnsPath,
        podName: name,
        podNamespace: namespace,
        podUid: uid,
        hostPorts: hostPorts.map(({ protocol, containerPort, hostPort, hostIp }) => ({
          protocol: protocol.toLowerCase() as 'tcp' | 'udp' | 'sctp',
          containerPort,
          hostPort,
          hostIP: hostIp,
        })),
      });
    },
    async remove({ id, netnsPath }) {
      await removeSandboxFromNetwork({ ...places, sandboxId: id, netnsPath: netnsPath ?? undefined });
    },
    attached: () => listAttachedSandboxes(places),
  };
}
