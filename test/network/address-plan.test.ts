import test from 'ava';
import fc from 'fast-check';
import { chooseCidr, highestNodeNumber, planAddresses, planNode } from '../../network/address-plan.ts';
import { formatAddress, formatNetwork, overlaps, parseAddress, parseNetwork } from '../../network/ipv4.ts';
import { bridgeMacAddress, bridgeName, nodeNumber, vethName } from '../../network/names.ts';

test('addresses and networks are read and written back', (t) => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, prefixLength) => {
      t.is(formatAddress(parseAddress(address)), address);
      const network = parseNetwork(`${address}/${prefixLength}`);
      t.deepEqual(parseNetwork(formatNetwork(network)), network);
      t.true(overlaps(network, parseNetwork(address)));
    }),
  );
  for (const wrong of ['10.0.0', '10.0.0.256', '10.0.0.0/33', 'fe80::/64', '10.0.0.0/', 'multicast']) {
    t.throws(() => parseNetwork(wrong));
  }
});

test('networks overlap when one holds the other', (t) => {
  const overlap = (one: string, other: string) => overlaps(parseNetwork(one), parseNetwork(other));
  t.true(overlap('10.244.0.0/16', '10.244.7.0/24'));
  t.true(overlap('10.0.0.0/8', '10.244.0.0/16'));
  t.false(overlap('10.244.0.0/24', '10.244.1.0/24'));
  t.true(overlap('0.0.0.0/0', '192.0.2.1'));
});

test('a plan gives every node its own address and Pod network inside of the cluster', (t) => {
  t.deepEqual(planAddresses('10.200.3.4/16'), {
    cidr: '10.200.0.0/16',
    nodeSubnet: '10.200.0.0/24',
    hostIp: '10.200.0.1',
  });
  t.deepEqual(planNode('10.200.0.0/16', 2), {
    ip: '10.200.0.3',
    podCidr: '10.200.2.0/24',
    podGateway: '10.200.2.1',
  });
  const numbers = Array.from({ length: highestNodeNumber }, (_, index) => index + 1);
  const plans = numbers.map((number) => planNode('10.200.0.0/16', number));
  t.is(new Set(plans.flatMap(({ ip, podCidr }) => [ip, podCidr])).size, 2 * highestNodeNumber);
  t.true(plans.every(({ ip }) => overlaps(parseNetwork(ip), parseNetwork('10.200.0.0/24'))));
  t.throws(() => planNode('10.200.0.0/16', highestNodeNumber + 1), { instanceOf: RangeError });
  t.throws(() => planAddresses('10.200.0.0/24'), { message: 'a cluster takes a /16, not 10.200.0.0/24' });
});

test('the first free network is chosen', (t) => {
  t.is(chooseCidr([]), '10.244.0.0/16');
  t.is(chooseCidr(['10.244.1.0/24', '10.243.0.1', '10.0.0.0/25'].map(parseNetwork)), '10.242.0.0/16');
  t.throws(() => chooseCidr([parseNetwork('10.0.0.0/8')]), { message: /^no free \/16 between/ });
});

test('names fit into what the kernel allows, and differ between clusters', (t) => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 253 }),
      (cluster, number) => {
        t.true(vethName(cluster, number).length <= 15);
        t.regex(bridgeMacAddress(cluster), /^02(:[0-9a-f]{2}){5}$/);
      },
    ),
  );
  t.not(bridgeName('one'), bridgeName('two'));
  t.is(nodeNumber('node-12'), 12);
  t.throws(() => nodeNumber('node-01'), { message: 'a node is named node-1, node-2, ..., not node-01' });
});
