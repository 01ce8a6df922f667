import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { dir } from 'tmp-promise';
import { podDns } from '../../../kubelet/sandbox/dns.ts';
import { kernelHostname, podHostname } from '../../../kubelet/sandbox/hostname.ts';
import { podOf } from '../pod-builder.ts';

test('dns policies', async (t) => {
  await using scratch = await scratchFolder();
  const resolverConfig = join(scratch.path, 'resolv.conf');
  writeFileSync(resolverConfig, 'nameserver 192.0.2.1\nsearch example.com\noptions timeout:1\n');
  const settings = { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', resolverConfig };
  const cluster = {
    servers: ['10.96.0.10'],
    searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'],
    options: ['ndots:5'],
  };
  const host = { servers: ['192.0.2.1'], searches: ['example.com'], options: ['timeout:1'] };
  t.deepEqual(podDns(podOf(), settings), cluster);
  t.deepEqual(podDns(podOf({ hostNetwork: true }), settings), host);
  t.deepEqual(podDns(podOf({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), settings), cluster);
  t.deepEqual(podDns(podOf({ dnsPolicy: 'Default' }), settings), host);
  t.deepEqual(podDns(podOf(), { ...settings, clusterDns: [] }), host);
  const dnsConfig = {
    nameservers: ['1.1.1.1'],
    searches: ['my.dns'],
    options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
  };
  t.deepEqual(podDns(podOf({ dnsPolicy: 'None', dnsConfig }), settings), {
    servers: ['1.1.1.1'],
    searches: ['my.dns'],
    options: ['ndots:2', 'edns0'],
  });
  t.deepEqual(podDns(podOf({ dnsConfig }), settings).options, ['ndots:2', 'edns0']);
});

test('host names', (t) => {
  const domain = 'cluster.local';
  t.deepEqual(podHostname(podOf(), domain), { hostname: 'web', domain: '' });
  const sub = podOf({ hostname: 'box', subdomain: 'sub', setHostnameAsFQDN: true });
  t.deepEqual(podHostname(sub, domain), { hostname: 'box', domain: 'sub.default.svc.cluster.local' });
  t.is(kernelHostname(sub, podHostname(sub, domain)), 'box.sub.default.svc.cluster.local');
  const long = podOf({ hostname: 'a'.repeat(60), subdomain: 'sub', setHostnameAsFQDN: true });
  t.throws(() => kernelHostname(long, podHostname(long, domain)), {
    message: /is too long \(64 characters is the max, 90 characters requested\)$/,
  });
});

async function scratchFolder() {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'll-' });
  return { path, [Symbol.asyncDispose]: cleanup };
}
