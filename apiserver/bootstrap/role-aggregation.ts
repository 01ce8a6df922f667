import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { ClusterRole, PolicyRule } from '../../api/types.ts';
import { labelSelectorMatcher } from '../../api/selectors/labels.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { Feed } from '../storage/feed.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Stores } from '../storage/stores.ts';

/**
 * Keeps ClusterRoles with an aggregationRule the sum of the roles that they select, now and after each change
 * (upstream: clusterrole-aggregation-controller). It lives in the server because admission of users depends on it.
 */
export async function startRoleAggregation(options: {
  stores: Stores;
  feed: Feed;
  log: Logger;
  stopping: AbortSignal;
}): Promise<void> {
  const { stores, feed, log, stopping } = options;
  const roles = stores.named('rbac.authorization.k8s.io', 'clusterroles');
  let running: Promise<void> | undefined;
  let again = false;
  const settle = async (): Promise<void> => {
    do {
      again = false;
      await aggregateAll(roles);
      await feed.fresh();
    } while (again && !stopping.aborted);
  };
  await settle();
  const end = roles.cache.listen(() => {
    again = true;
    running ??= settle()
      .catch((error: unknown) => log.error({ err: error }, 'cluster roles could not be aggregated'))
      .finally(() => (running = undefined));
  });
  stopping.addEventListener('abort', end, { once: true });
}

/** Aggregated roles may feed others (view → edit → admin): rounds until nothing changes. */
async function aggregateAll(store: ObjectStore): Promise<void> {
  const rulesOf = new Map<string, PolicyRule[]>();
  const roles = [...store.cache.values()].map(({ object }) => object as unknown as ClusterRole);
  for (const { metadata, rules } of roles) rulesOf.set(metadata?.name ?? '', rules ?? []);
  const aggregated = roles.filter(({ aggregationRule }) => aggregationRule !== undefined);
  const rounds = aggregated.length;
  for (let round = 0; round < rounds; round++) {
    for (const role of aggregated) rulesOf.set(role.metadata?.name ?? '', sumOf(role, roles, rulesOf));
  }
  for (const role of aggregated) {
    const name = role.metadata?.name ?? '';
    const rules = rulesOf.get(name) ?? [];
    if (!isDeepStrictEqual(rules, role.rules ?? [])) await writeRules(store, name, rules);
  }
}

function sumOf(
  { metadata, aggregationRule }: ClusterRole,
  roles: ClusterRole[],
  rulesOf: Map<string, PolicyRule[]>,
): PolicyRule[] {
  const selectors = (aggregationRule?.clusterRoleSelectors ?? []).map(labelSelectorMatcher);
  const selected = roles
    .filter(
      (role) =>
        role.metadata?.name !== metadata?.name &&
        selectors.some((selector) => selector.matches(role.metadata?.labels)),
    )
    .toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  const sum: PolicyRule[] = [];
  for (const rule of selected.flatMap((role) => rulesOf.get(role.metadata?.name ?? '') ?? [])) {
    if (!sum.some((known) => isDeepStrictEqual(known, rule))) sum.push(rule);
  }
  return sum;
}

async function writeRules(store: ObjectStore, name: string, rules: PolicyRule[]): Promise<void> {
  await store.update({ namespace: '', name }, (current) =>
    Promise.resolve(
      current === undefined ? { keep: true } : { write: { ...current, rules } satisfies ApiObject },
    ),
  );
}
