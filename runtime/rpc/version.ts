import type { VersionResponse } from '../cri/types.ts';

/** Who answers on this socket. */
export const version = (): VersionResponse => ({
  version: '0.1.0',
  runtimeName: 'podwright',
  runtimeVersion: '0.1.0',
  runtimeApiVersion: 'v1',
});
