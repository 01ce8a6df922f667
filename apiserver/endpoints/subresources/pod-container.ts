import type { Pod } from '../../../api/types.ts';
import { badRequest, notFoundError } from '../../http/errors.ts';
import { noHostError } from '../../kubelet-proxy/kubelet-connections.ts';
import type { ResourceRequest } from '../context.ts';
import { placeOfRequest } from '../place.ts';

/** The Pod of a request. Throws 404. */
export async function presentPod(request: ResourceRequest): Promise<Pod> {
  const { server, kind, info } = request;
  const pod = (await server.stores.of(kind).find(placeOfRequest(request)))?.object as Pod | undefined;
  if (pod === undefined) throw notFoundError(kind, info.name);
  return pod;
}

/** The node whose kubelet is to be asked. Throws 400 for a Pod that isn't scheduled. */
export function nodeOf({ metadata, spec }: Pod): string {
  if (!spec?.nodeName) throw noHostError(metadata?.name ?? '');
  return spec.nodeName;
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
