import { createRequire } from 'node:module';
import type { Handlers } from '../../../serve.ts';
import type { IdentityService, PluginCapability } from '../../../types.ts';

const { version } = createRequire(import.meta.url)('../../../../package.json') as { version: string };

const capabilities: PluginCapability[] = [
  { service: { type: 'CONTROLLER_SERVICE' } },
  { service: { type: 'VOLUME_ACCESSIBILITY_CONSTRAINTS' } },
  { service: { type: 'GROUP_CONTROLLER_SERVICE' } },
  { volumeExpansion: { type: 'ONLINE' } },
];

export interface IdentityOptions {
  driverName: string;
  /** Whether the driver can work now. */
  isReady?: () => Promise<boolean>;
}

/** Who the driver is. `probe` says whether it can reach what it needs. */
export function identityService({
  driverName,
  isReady = () => Promise.resolve(true),
}: IdentityOptions): Handlers<IdentityService> {
  return {
    getPluginInfo: () => ({ name: driverName, vendorVersion: version, manifest: {} }),
    getPluginCapabilities: () => ({ capabilities }),
    probe: async () => ({ ready: { value: await isReady() } }),
  };
}
