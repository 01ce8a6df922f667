import type { RuntimeConfigResponse } from '../cri/types.ts';

/** Cgroups are made by path, as the kubelet names them, and not by systemd. */
export const runtimeConfig = (): RuntimeConfigResponse => ({ linux: { cgroupDriver: 'CGROUPFS' } });
