import { isDeepStrictEqual } from 'node:util';
import type { ClusterRole, PolicyRule } from '../../api/types.ts';
import { labelSelectorMatcher } from '../../api/selectors/labels.ts';
import { clusterRoles } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';

/** A ClusterRole with an aggregationRule has the rules of all ClusterRoles that its selectors find. */
export const clusterRoleAggregation: ControllerFactory = (context) => {
  const { client, informers } = context;
  const informer = informers.informer(clusterRoles);
  const aggregating = () =>
    informer.lister.list().filter(({ aggregationRule }) => aggregationRule !== undefined);

  const reconciler = createReconciler({
    name: 'clusterrole-aggregation',
    context,
    async reconcile(name) {
      const role = informer.lister.getByKey(name);
      if (role?.aggregationRule === undefined) return;
      const rules = aggregatedRules(role, informer.lister.list());
      if (isDeepStrictEqual(rules, role.rules ?? [])) return;
      await client.resource(clusterRoles).update({ object: { ...role, rules } });
    },
  });
  reconciler.follow(informer, () => aggregating().map(nameOf));
  return reconciler;
};

/** The rules of the selected roles in the order of their names, each rule once. */
const aggregatedRules = (role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] => {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(labelSelectorMatcher);
  const rules: PolicyRule[] = [];
  for (const selector of selectors) {
    const selected = all
      .filter(({ metadata }) => selector.matches(metadata?.labels ?? {}))
      .filter((other) => nameOf(other) !== nameOf(role))
      // Not as a language sorts them: two controllers with other settings would write the rules over each other for ever.
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    for (const rule of selected.flatMap((other) => other.rules ?? [])) {
      if (!rules.some((known) => isDeepStrictEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
};

const nameOf = ({ metadata }: ClusterRole): string => metadata?.name ?? '';
