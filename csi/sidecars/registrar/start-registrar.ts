import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { serveDriver } from '../../serve.ts';

export interface RegistrarOptions {
  /** The kubelet's plugins_registry/. */
  registrationDir: string;
  driverName: string;
  /** Where the kubelet finds the driver's node service. */
  driverSocket: string;
  log?: Logger | undefined;
  /** Told what the kubelet made of it, each time that it looks; `error` is empty when the driver is registered. */
  onStatus?: ((error: string) => void) | undefined;
}

/**
 * Serves the socket by which the kubelet finds a driver (kubernetes-csi/node-driver-registrar): `<driver>-reg.sock`. The kubelet
 * asks what it is, speaks to the driver itself, and tells how that went. Upstream's registrar ends itself on failure, to be
 * restarted and looked at again; here the kubelet looks again by itself, as long as the socket is there.
 */
export async function startRegistrar({
  registrationDir,
  driverName,
  driverSocket,
  log,
  onStatus,
}: RegistrarOptions): Promise<{ stop(): Promise<void> }> {
  mkdirSync(registrationDir, { recursive: true });
  return serveDriver({
    socketPath: join(registrationDir, `${driverName}-reg.sock`),
    registration: {
      getInfo: () => ({
        type: 'CSIPlugin',
        name: driverName,
        endpoint: driverSocket,
        supportedVersions: ['1.0.0'],
      }),
      notifyRegistrationStatus({ pluginRegistered, error }) {
        if (pluginRegistered) log?.info({ driver: driverName }, 'driver registered with kubelet');
        else log?.warn({ driver: driverName, error }, 'kubelet refused the driver');
        onStatus?.(pluginRegistered ? '' : error);
        return {};
      },
    },
  });
}
