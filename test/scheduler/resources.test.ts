import test from 'ava';
import type { Container } from '../../api/types.ts';
import { podRequests } from '../../scheduler/framework/resources.ts';
import { aPod } from './fixtures.ts';

const container = (cpu: string, extra: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests: { cpu } },
  ...extra,
});
const sidecar = (cpu: string) => container(cpu, { restartPolicy: 'Always' });
const cpuOf = (...options: Parameters<typeof aPod>) => podRequests(aPod(...options)).get('cpu');

test('containers add up, init containers run one after the other', (t) => {
  t.is(cpuOf({ containers: [container('1'), container('500m')] }), 1500);
  t.is(cpuOf({ containers: [container('1')], initContainers: [container('3'), container('2')] }), 3000);
});

test('sidecars run beside what comes after them', (t) => {
  t.is(cpuOf({ containers: [container('1')], initContainers: [sidecar('1')] }), 2000);
  t.is(cpuOf({ containers: [container('1')], initContainers: [sidecar('1'), container('3')] }), 4000);
  t.is(cpuOf({ containers: [container('1')], initContainers: [container('3'), sidecar('1')] }), 3000);
});

test('overhead comes on top, requests of the pod win', (t) => {
  t.is(cpuOf({ containers: [container('1')], overhead: { cpu: '250m' } }), 1250);
  t.is(cpuOf({ containers: [container('1')], resources: { requests: { cpu: '3' } } }), 3000);
});

test('scoring counts something for containers that ask for nothing', (t) => {
  const requests = podRequests(aPod(), { forScoring: true });
  t.is(requests.get('cpu'), 100);
  t.is(requests.get('memory'), 200 * 1024 * 1024);
});
