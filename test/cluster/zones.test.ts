import test from 'ava';
import { checkZones, dealZones, regionOf, topologyLabels } from '../../cluster/zones.ts';

test('zones go round the worker nodes, and the first of several nodes is in the first zone', (t) => {
  t.deepEqual(dealZones(['n1', 'n2', 'n3', 'n4'], ['a', 'b']), ['a', 'a', 'b', 'a']);
  t.deepEqual(dealZones(['n1'], ['a', 'b']), ['a']);
  t.deepEqual(dealZones(['n1', 'n2']), ['local-a', 'local-a']);
});

test('a region is read off the name of its zone, as clouds name them', (t) => {
  const regions = ['cn-hangzhou-b', 'us-east-1a', 'europe-west1-b', 'local-a', 'here'].map(regionOf);
  t.deepEqual(regions, ['cn-hangzhou', 'us-east-1', 'europe-west1', 'local', 'here']);
});

test('a node carries region and zone by their new and old names', (t) => {
  t.deepEqual(topologyLabels('cn-hangzhou-b'), {
    'topology.kubernetes.io/region': 'cn-hangzhou',
    'topology.kubernetes.io/zone': 'cn-hangzhou-b',
    'failure-domain.beta.kubernetes.io/region': 'cn-hangzhou',
    'failure-domain.beta.kubernetes.io/zone': 'cn-hangzhou-b',
  });
});

test('a zone that can be no label, or is named twice, is refused', (t) => {
  t.notThrows(() => checkZones(['a', 'b-1']));
  t.throws(() => checkZones(['../x']), { instanceOf: RangeError, message: /^invalid zone '\.\.\/x'/ });
  t.throws(() => checkZones(['']), { instanceOf: RangeError, message: /^invalid zone ''/ });
  t.throws(() => checkZones(['a', 'b', 'a']), { instanceOf: RangeError, message: "zone 'a' is named twice" });
});
