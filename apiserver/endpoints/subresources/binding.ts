import type { Binding, Pod } from '../../../api/types.ts';
import { validateBinding } from '../../../api/validation/pod/pod-subresources.ts';
import { conflictError, invalidError, notFoundError } from '../../http/errors.ts';
import type { ApiObject } from '../../registry/kind.ts';
import { pod } from '../../registry/core/pod.ts';
import type { Mutation } from '../../storage/object-store.ts';
import type { Endpoint } from '../context.ts';
import { checkIdentity } from '../preconditions.ts';
import { checkPlace, readObject } from '../read-object.ts';
import { timestamp } from '../timestamp.ts';
import { writeOptions } from '../write-options.ts';

const BINDING = { group: '', version: 'v1', kind: 'Binding' };

/** POST pods/binding (or bindings): the scheduler's word on which node a Pod runs. Throws 404, 409 and 422. */
export const bindPod: Endpoint = async (request) => {
  const { kind, info, server } = request;
  const options = writeOptions(info.query, 'CreateOptions');
  const binding = (await readObject(request, BINDING, options)) as unknown as Binding;
  checkPlace(binding as unknown as ApiObject, kind, info);
  const invalid = validateBinding(binding);
  if (invalid.length > 0) {
    const ofBinding = { group: '', kind: 'Binding', plural: 'bindings' };
    throw invalidError(ofBinding, binding.metadata?.name ?? '', invalid);
  }
  const object = binding as unknown as ApiObject;
  const attributes = { operation: 'CREATE' as const, request, object, oldObject: undefined, options };
  await server.admission.admit(attributes);
  await server.admission.validate(attributes);
  const place = { namespace: info.namespace, name: binding.metadata?.name ?? '' };
  await server.stores.of(pod).update(place, (current): Promise<Mutation> => {
    if (current === undefined) throw notFoundError(pod, place.name);
    checkIdentity({ server, kind: pod, place, asked: binding.metadata ?? {}, actual: current.metadata });
    const bound = assign(current as unknown as Pod, binding, timestamp(server.now()));
    return Promise.resolve(options.dryRun ? { keep: true } : { write: bound as unknown as ApiObject });
  });
  return {
    status: 201,
    object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  };
};

/** Upstream: registry/core/pod/storage BindingREST.setPodNodeAndMetadata. */
function assign(current: Pod, { target, metadata }: Binding, now: string): Pod {
  const name = current.metadata?.name ?? '';
  const refuse = (why: string) =>
    conflictError({ group: '', kind: 'Binding', plural: 'pods/binding' }, name, why);
  if (current.metadata?.deletionTimestamp !== undefined)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (current.spec?.nodeName)
    throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(current.spec.nodeName)}`);
  if ((current.spec?.schedulingGates ?? []).length > 0)
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const annotations = { ...current.metadata?.annotations, ...metadata?.annotations };
  const labels = { ...current.metadata?.labels, ...metadata?.labels };
  // Nobody may take the hint of where it could go for the place where it is.
  const { nominatedNodeName: _hint, ...status } = current.status ?? {};
  const conditions = (status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  return {
    ...current,
    metadata: {
      ...current.metadata,
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(Object.keys(labels).length > 0 && { labels }),
    },
    spec: { containers: [], ...current.spec, nodeName: target.name ?? '' },
    status: {
      ...status,
      conditions: [...conditions, { type: 'PodScheduled', status: 'True', lastTransitionTime: now }],
    },
  };
}
