import type { Binding, Pod } from '../../api/types.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionPlugin } from './admission.ts';

const COPIED_LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/**
 * Copies region and zone of the chosen node to the Pod, where its containers can read them through the downward API
 * (KEP-4742; upstream: plugin/pkg/admission/podtopologylabels).
 */
export const podTopologyLabels = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'PodTopologyLabels',
  admit({ operation, request, object }) {
    const { kind, subresource } = request;
    if (operation !== 'CREATE' || object === undefined || kind.group !== '') return;
    const isBinding = kind.plural === 'bindings' || subresource?.name === 'binding';
    if (!isBinding && (kind.plural !== 'pods' || subresource !== undefined)) return;
    const name = isBinding ? targetOf(object) : nodeNameOf(object);
    if (!name) return;
    const node = stores.named('', 'nodes').peek({ namespace: '', name });
    const labels = Object.entries(node?.metadata.labels ?? {}).filter(([key]) => COPIED_LABELS.includes(key));
    if (labels.length > 0)
      object.metadata.labels = { ...object.metadata.labels, ...Object.fromEntries(labels) };
  },
});

const nodeNameOf = (object: ApiObject): string | undefined => (object as unknown as Pod).spec?.nodeName;

/** The default scheduler names kind and name of the target alone. */
function targetOf(object: ApiObject): string | undefined {
  const { target } = object as unknown as Binding;
  return target.kind === 'Node' ? target.name : undefined;
}
