import type { Pod } from '../../../api/types.ts';
import { badRequest, notFoundError } from '../../http/errors.ts';
import { noHostError } from '../../kubelet-proxy/kubelet-connections.ts';
import type { ResourceRequest } from '../context.ts';
import { placeOfRequest } from '../place.ts';

/** A Pod that has a node, for subresources that its kubelet answers. Throws 404, and 400 when it isn't scheduled. */
export async function runningPod(request: ResourceRequest): Promise<{ pod: Pod; nodeName: string }> {
  const { server, kind, info } = request;
  const pod = (await server.stores.of(kind).find(placeOfRequest(request)))?.object as Pod | undefined;
  if (pod === undefined) throw notFoundError(kind, info.name);
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) throw noHostError(info.name);
  return { pod, nodeName };
}

/** The container asked for, or the only one. Throws 400 in upstream's words (registry/core/pod strategy podHasContainerWithName). */
export function containerOf({ metadata, spec }: Pod, asked: string | null): string {
  const names = (list: { name: string }[] | undefined) => (list ?? []).map(({ name }) => name);
  const [containers, inits] = [names(spec?.containers), names(spec?.initContainers)];
  const ephemeral = names(spec?.ephemeralContainers);
  const pod = metadata?.name ?? '';
  if (asked) {
    if ([...containers, ...inits, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod}`);
  }
  const [only] = containers;
  if (only !== undefined && containers.length === 1 && inits.length === 0 && ephemeral.length === 0)
    return only;
  const choices = [
    `choose one of: [${containers.join(' ')}]`,
    ...(inits.length > 0 ? [`one of the init containers: [${inits.join(' ')}]`] : []),
    ...(ephemeral.length > 0 ? [`one of the ephemeral containers: [${ephemeral.join(' ')}]`] : []),
  ];
  throw badRequest(`a container name must be specified for pod ${pod}, ${choices.join(' or ')}`);
}
