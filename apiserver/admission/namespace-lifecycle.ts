import { forbiddenError, notFoundError } from '../http/errors.ts';
import { namespaceKind } from '../registry/core/namespace.ts';
import { isReview } from '../registry/reviews.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionPlugin } from './admission.ts';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is made in a namespace that is missing or terminating; the system's namespaces stay (upstream: plugin/namespace/lifecycle). */
export const namespaceLifecycle = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'NamespaceLifecycle',
  async admit({ operation, request, object }) {
    const { kind, info } = request;
    if (operation === 'DELETE' && kind.plural === 'namespaces' && IMMORTAL.has(info.name)) {
      throw forbiddenError(namespaceKind, info.name, 'this namespace may not be deleted');
    }
    if (operation !== 'CREATE' || !kind.namespaced || isReview(kind)) return;
    const namespaces = stores.named('', 'namespaces');
    const place = { namespace: '', name: info.namespace };
    const found = namespaces.peek(place) ?? (await namespaces.find(place))?.object;
    if (found === undefined) throw notFoundError(namespaceKind, info.namespace);
    const { phase } = (found['status'] ?? {}) as { phase?: string };
    if (phase !== 'Terminating' && found.metadata.deletionTimestamp === undefined) return;
    throw terminating(kind, object?.metadata.name ?? '', info.namespace);
  },
});

function terminating(kind: Parameters<typeof forbiddenError>[0], name: string, namespace: string) {
  const error = forbiddenError(
    kind,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  error.status.details = {
    ...error.status.details,
    causes: [...(error.status.details?.causes ?? []), cause],
  };
  return error;
}
