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

/** The container asked for, or the only regular one. Throws 400 in upstream's words (registry/core/pod strategy validateContainer). */
export function containerOf({ metadata, spec }: Pod, asked: string | null): string {
  const names = (list: { name: string }[] | undefined) => (list ?? []).map(({ name }) => name);
  const regular = names(spec?.containers);
  const all = [...names(spec?.initContainers), ...regular, ...names(spec?.ephemeralContainers)];
  const pod = metadata?.name ?? '';
  if (asked) {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod}`);
  }
  const [only] = regular;
  if (only !== undefined && regular.length === 1) return only;
  throw badRequest(`a container name must be specified for pod ${pod}, choose one of: [${all.join(' ')}]`);
}
