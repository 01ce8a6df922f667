import type { Pod, Toleration } from '../../api/types.ts';
import type { AdmissionPlugin } from './admission.ts';

const SECONDS = 300;
const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Pods tolerate a node that is not ready or not reachable for five minutes (upstream: plugin/pkg/admission/defaulttolerationseconds). */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit({ operation, request, object }) {
    const isPod =
      request.kind.group === '' && request.kind.plural === 'pods' && request.subresource === undefined;
    if (!isPod || operation === 'DELETE') return;
    const { spec } = (object ?? {}) as unknown as Pod;
    if (spec === undefined) return;
    const added = KEYS.filter(
      (key) => !(spec.tolerations ?? []).some((toleration) => covers(toleration, key)),
    );
    if (added.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...added.map(tolerationOf)];
  },
};

const covers = ({ key, effect }: Toleration, wanted: string): boolean =>
  (key === wanted || !key) && (effect === 'NoExecute' || !effect);

const tolerationOf = (key: string): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: SECONDS,
});
