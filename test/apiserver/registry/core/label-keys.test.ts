import test from 'ava';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from '../../test-server.ts';

const topologyKey = 'kubernetes.io/hostname';
const exists = { key: 'x', operator: 'Exists' };
const labelSelector = { matchLabels: { app: 'web' }, matchExpressions: [exists] };
const matchLabelKeys = ['version', 'absent'];
const ofVersion = { key: 'version', operator: 'In', values: ['2'] };
const ofOthers = { key: 'tenant', operator: 'NotIn', values: ['a'] };

test("what label keys say of a Pod's own labels joins its selectors when it is made, once", async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const term = { topologyKey, labelSelector, matchLabelKeys, mismatchLabelKeys: ['tenant'] };
  const spread = { maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule', labelSelector };
  const pod = podNamed('a', {
    affinity: {
      podAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }],
      },
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term, { topologyKey }] },
    },
    topologySpreadConstraints: [{ ...spread, matchLabelKeys }],
  });
  const labels = { app: 'web', version: '2', tenant: 'a' };
  const made = await server.post(PODS, { ...pod, metadata: { name: 'a', labels } });
  t.is(made.status, 201);
  const { affinity, topologySpreadConstraints } = made.body.spec;
  const [preferred] = affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution;
  const [required, bare] = affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  const merged = [exists, ofVersion, ofOthers];
  t.deepEqual(preferred.podAffinityTerm.labelSelector.matchExpressions, merged);
  t.deepEqual(required.labelSelector.matchExpressions, merged);
  t.deepEqual(required.matchLabelKeys, matchLabelKeys);
  t.deepEqual(bare, { topologyKey });
  t.deepEqual(topologySpreadConstraints[0].labelSelector.matchExpressions, [exists, ofVersion]);
  const changed = await server.patch(`${PODS}/a`, { metadata: { labels: { version: '3' } } });
  t.is(changed.status, 200);
  t.deepEqual(changed.body.spec, made.body.spec);
});
