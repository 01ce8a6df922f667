import type { Sent, StatusRequest, StatusResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** RuntimeReady, and NetworkReady when there is a CNI configuration, in containerd's words. */
export function status(runtime: Runtime, { verbose }: StatusRequest): Sent<StatusResponse> {
  const notReady = runtime.network.notReadyReason();
  const network =
    notReady === undefined
      ? { type: 'NetworkReady', status: true }
      : {
          type: 'NetworkReady',
          status: false,
          reason: 'NetworkPluginNotReady',
          message: `Network plugin returns error: ${notReady}`,
        };
  const features = { recursiveReadOnlyMounts: true, userNamespaces: false };
  const { stateDir, runDir } = runtime;
  return {
    status: { conditions: [{ type: 'RuntimeReady', status: true }, network] },
    runtimeHandlers: [{ name: '', features }],
    features: { supplementalGroupsPolicy: true },
    ...(verbose
      ? { info: { config: JSON.stringify({ stateDir, runDir, images: runtime.images.dir }) } }
      : {}),
  };
}
