import test from 'ava';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from './test-server.ts';
import type { Answer } from './test-server.ts';

const SERVICES = '/api/v1/namespaces/default/services';
const ENDPOINTS = '/api/v1/namespaces/default/endpoints';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

const warningsOf = ({ headers }: Answer): string[] =>
  [...String(headers.warning ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replaceAll(/\\(.)/g, '$1'),
  );

const causesOf = ({ body }: Answer): string[] =>
  (body.details.causes as { field: string; message: string }[]).map(
    ({ field, message }) => `${field}: ${message}`,
  );

test("a Service's status and the rest of it are written apart", async (t) => {
  const server = await startTestServer(t);
  const ingress = [{ ip: '192.0.2.1' }];
  const { body: made } = await server.put(`${SERVICES}/a`, {
    metadata: { name: 'a' },
    spec: { ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress } },
  });
  t.deepEqual(made.status, { loadBalancer: {} });
  const reported = await server.patch(`${SERVICES}/a/status`, {
    spec: { selector: { a: 'b' } },
    status: { loadBalancer: { ingress } },
  });
  t.deepEqual(reported.body.status, { loadBalancer: { ingress } });
  t.deepEqual(reported.body.spec, made.spec);
  const changed = await server.patch(`${SERVICES}/a`, { spec: { selector: { a: 'b' } }, status: null });
  t.deepEqual(changed.body.spec.selector, { a: 'b' });
  t.deepEqual(changed.body.status, { loadBalancer: { ingress } });
});

test('an address that not all read alike is refused, but where it is already', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const service = (externalIPs: string[]) => ({
    metadata: { name: 'a' },
    spec: { ports: [{ port: 80 }], externalIPs },
  });
  const refused = await server.post(
    SERVICES,
    service(['010.1.2.3', '::ffff:1.2.3.4', 'fe80::1%eth0', '10.1.2.300', '2001:db8:0::1']),
  );
  t.is(refused.status, 422);
  t.deepEqual(causesOf(refused), [
    'spec.externalIPs[0]: Invalid value: "010.1.2.3": must not have leading 0s',
    'spec.externalIPs[1]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
    'spec.externalIPs[2]: Invalid value: "fe80::1%eth0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'spec.externalIPs[3]: Invalid value: "10.1.2.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ]);
  const pod = await server.post(
    PODS,
    podNamed('p', {
      hostAliases: [{ ip: '1.2.3.04', hostnames: ['a'] }],
      dnsConfig: { nameservers: ['::FFFF:1.2.3.4'] },
    }),
  );
  t.deepEqual(causesOf(pod).toSorted(), [
    'spec.dnsConfig.nameservers[0]: Invalid value: "::FFFF:1.2.3.4": must not be an IPv4-mapped IPv6 address',
    'spec.hostAliases[0].ip: Invalid value: "1.2.3.04": must not have leading 0s',
  ]);
  await server.post(PODS, podNamed('p'));
  const reported = await server.patch(`${PODS}/p/status`, { status: { podIPs: [{ ip: '1.2.3.04' }] } });
  t.deepEqual(causesOf(reported), ['status.podIPs[0]: Invalid value: "1.2.3.04": must not have leading 0s']);
});

test('who writes a Service or its endpoints is warned of how addresses are written', async (t) => {
  const server = await startTestServer(t);
  const service = await server.post(SERVICES, {
    metadata: { name: 'a', annotations: { 'service.kubernetes.io/topology-aware-hints': 'auto' } },
    spec: {
      ports: [{ port: 80 }],
      clusterIP: 'None',
      externalIPs: ['2001:db8:0::1'],
      loadBalancerIP: '01.2.3.4',
      sessionAffinity: 'ClientIP',
      externalName: 'x',
      trafficDistribution: 'PreferClose',
    },
  });
  t.is(service.status, 201, service.text);
  t.deepEqual(warningsOf(service), [
    'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    'spec.loadBalancerIP is ignored for headless services',
    'spec.externalIPs is ignored for headless services',
    'spec.SessionAffinity is ignored for headless services',
    'spec.externalIPs[0]: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    'spec.loadBalancerIP: non-standard IP address "01.2.3.4" is invalid: use "1.2.3.4"',
    'spec.externalName is ignored when spec.type is not "ExternalName"',
    'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  ]);
  const slice = (labels: object) => ({
    metadata: { name: 's', labels },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1', '010.0.0.2'] }],
    ports: [{ port: 80 }],
  });
  const made = await server.post(SLICES, slice({}));
  t.deepEqual(made.body.ports, [{ name: '', port: 80, protocol: 'TCP' }]);
  t.deepEqual(warningsOf(made), [
    'endpoints[0].addresses[1]: non-standard IP address "010.0.0.2" is invalid: use "10.0.0.2"',
  ]);
  const managed = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' };
  t.deepEqual(warningsOf(await server.put(`${SLICES}/s`, slice(managed))), []);
  const endpoints = await server.put(`${ENDPOINTS}/e`, {
    metadata: { name: 'e' },
    subsets: [{ notReadyAddresses: [{ ip: 'fd00:0::1' }], ports: [{ port: 80 }] }],
  });
  t.is(endpoints.status, 201);
  t.deepEqual(endpoints.body.subsets[0].ports, [{ port: 80, protocol: 'TCP' }]);
  t.true(
    warningsOf(endpoints).includes(
      'subsets[0].notReadyAddresses[0].ip: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format ("fd00::1")',
    ),
  );
});

test('a PUT makes what upstream lets it make', async (t) => {
  const server = await startTestServer(t);
  const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles';
  t.is((await server.put(`${roles}/r`, { metadata: { name: 'r' }, rules: [] })).status, 201);
  t.is((await server.put(`${roles}/r`, { metadata: { name: 'r' }, rules: [] })).status, 200);
  const classes = '/apis/node.k8s.io/v1/runtimeclasses';
  const runtimeClass = { metadata: { name: 'c' }, handler: 'h' };
  t.is((await server.put(`${classes}/c`, runtimeClass)).status, 201);
  t.is((await server.put(`${classes}/c`, runtimeClass)).status, 422);
});

test('the handler of a RuntimeClass is a label, for good', async (t) => {
  const server = await startTestServer(t);
  const classes = '/apis/node.k8s.io/v1/runtimeclasses';
  const toleration = { key: 'a', operator: 'Exists' };
  const wrong = await server.post(classes, {
    metadata: { name: 'c' },
    overhead: { podFixed: { cpu: '-1' } },
    scheduling: { nodeSelector: { a: '_' }, tolerations: [toleration, toleration] },
  });
  t.deepEqual(
    causesOf(wrong).map((cause) => cause.split(': ').slice(0, 3).join(': ')),
    [
      'handler: Invalid value: ""',
      'overhead.limits[cpu]: Invalid value: "-1"',
      'scheduling.nodeSelector: Invalid value: "_"',
      'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}',
    ],
  );
  const { status } = await server.post(classes, { metadata: { name: 'c' }, handler: 'h' });
  t.is(status, 201);
  const changed = await server.patch(`${classes}/c`, { handler: 'i' });
  t.deepEqual(causesOf(changed), ['handler: Invalid value: "i": field is immutable']);
});
