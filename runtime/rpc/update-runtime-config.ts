import type { UpdateRuntimeConfigRequest, UpdateRuntimeConfigResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** Takes the node's pod CIDR. The network's configuration is written by whoever makes the node, so there is nothing to do. */
export function updateRuntimeConfig(
  runtime: Runtime,
  { runtimeConfig }: UpdateRuntimeConfigRequest,
): UpdateRuntimeConfigResponse {
  const podCidr = runtimeConfig?.networkConfig?.podCidr ?? '';
  if (podCidr !== '') runtime.log.info({ podCidr }, 'pod CIDR given; the CNI configuration already holds it');
  return {};
}
