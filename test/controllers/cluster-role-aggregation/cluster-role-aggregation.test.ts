import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { ClusterRole } from '../../../api/types.ts';
import { clusterRoles } from '../../../client/resources.ts';
import { clusterRoleAggregation } from '../../../controllers/cluster-role-aggregation/cluster-role-aggregation.ts';
import { until } from '../../environment.ts';
import { startControllerRig } from '../controller-rig.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

test.before(async (t) => {
  t.context = await startControllerRig([clusterRoleAggregation]);
});
test.after.always((t) => t.context.stop());

const labels = { gather: 'yes' };
const reading = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });

test('a role gathers the rules of those that it selects, each once, in the order of their names as bytes', async (t) => {
  const roles = t.context.client.resource(clusterRoles);
  const create = (role: Omit<ClusterRole, 'apiVersion' | 'kind'>) =>
    roles.create({ object: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', ...role } });
  await create({
    metadata: { name: 'all' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: labels }] },
  });
  await create({ metadata: { name: 'part:b', labels }, rules: [reading('secrets'), reading('pods')] });
  await create({ metadata: { name: 'part.c', labels }, rules: [reading('pods')] });
  await create({ metadata: { name: 'part:A', labels }, rules: [reading('nodes')] });
  await create({ metadata: { name: 'part:D', labels }, rules: [reading('events')] });
  await create({ metadata: { name: 'apart' }, rules: [reading('leases')] });
  const gathered = async () =>
    ((await roles.get({ name: 'all' })).rules ?? []).flatMap(({ resources = [] }) => resources);
  await until('all rules', async () => (await gathered()).length === 4);
  t.deepEqual(await gathered(), ['pods', 'nodes', 'events', 'secrets']);
  await roles.delete({ name: 'part:D' });
  await until('one less', async () => (await gathered()).length === 3);
  t.deepEqual(await gathered(), ['pods', 'nodes', 'secrets']);
});
