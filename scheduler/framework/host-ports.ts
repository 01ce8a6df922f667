import type { Pod } from '../../api/types.ts';

/** A port of the node itself that a pod takes. */
export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

const anyAddress = '0.0.0.0';

/** The host ports of a pod's containers and sidecars. */
export const hostPortsOf = (pod: Pod): HostPort[] => {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const lasting = [
    ...containers,
    ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
  return lasting.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostIP = '', protocol = 'TCP', hostPort = 0 }) => ({
        ip: hostIP === '' ? anyAddress : hostIP,
        protocol,
        port: hostPort,
      })),
  );
};

/** Same protocol and port, on the same address or where one side takes all addresses. */
export const collide = (a: HostPort, b: HostPort): boolean =>
  a.protocol === b.protocol &&
  a.port === b.port &&
  (a.ip === b.ip || a.ip === anyAddress || b.ip === anyAddress);
