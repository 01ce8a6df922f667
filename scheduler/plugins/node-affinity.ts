import { matchesNodeSelectorTerm, matchesPodNodeSelection } from '../../api/selectors/node-selector.ts';
import type { NodeSelectorTerm, Pod } from '../../api/types.ts';
import type { PluginFactory } from '../framework/handle.ts';
import { unresolvable } from '../framework/plugin.ts';
import { normalizeToMaximum } from '../framework/score-nodes.ts';

/** nodeSelector and node affinity: what is required filters, what is preferred scores. */
export const nodeAffinity: PluginFactory = () => ({
  name: 'NodeAffinity',
  weight: 2,
  hints: [{ resource: 'Node', actions: ['Add', 'UpdateLabel'] }],
  preFilter({ pod }) {
    const nodeNames = namedNodes(pod);
    if (nodeNames === undefined) return undefined;
    if (nodeNames.size > 0) return { nodeNames };
    return { rejection: unresolvable('pod affinity terms conflict') };
  },
  filter({ pod, node }) {
    if (matchesPodNodeSelection(pod, node.node)) return undefined;
    return unresolvable("node(s) didn't match Pod's node affinity/selector");
  },
  preScore: ({ pod }) => preferredTerms(pod).length > 0,
  score: ({ pod, node }) =>
    preferredTerms(pod)
      .filter(({ preference }) => matchesNodeSelectorTerm(preference, node.node))
      .reduce((sum, { weight }) => sum + weight, 0),
  normalizeScores: ({ scores }) => normalizeToMaximum(scores),
});

const preferredTerms = (pod: Pod) =>
  pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** The nodes that every term names by metadata.name (as daemon sets do); undefined when one names none. */
const namedNodes = (pod: Pod): Set<string> | undefined => {
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const names = new Set<string>();
  for (const term of required?.nodeSelectorTerms ?? []) {
    const ofTerm = namesOf(term);
    if (ofTerm === undefined) return undefined;
    for (const name of ofTerm) names.add(name);
  }
  return required === undefined ? undefined : names;
};

const namesOf = ({ matchFields = [] }: NodeSelectorTerm): Set<string> | undefined => {
  let names: Set<string> | undefined;
  for (const { key, operator, values = [] } of matchFields) {
    if (key !== 'metadata.name' || operator !== 'In') continue;
    names = names === undefined ? new Set(values) : names.intersection(new Set(values));
  }
  return names;
};
