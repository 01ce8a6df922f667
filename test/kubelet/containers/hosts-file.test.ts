import test from 'ava';
import { managedHosts } from '../../../kubelet/containers/hosts-file.ts';

test('the hosts file of a pod', (t) => {
  const content = managedHosts({
    podIps: ['10.0.0.5'],
    hostname: { hostname: 'web', domain: 'sub.default.svc.cluster.local' },
    hostAliases: [{ ip: '1.2.3.4', hostnames: ['foo.local', 'bar.local'] }],
  });
  t.is(
    content,
    `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
10.0.0.5\tweb.sub.default.svc.cluster.local\tweb

# Entries added by HostAliases.
1.2.3.4\tfoo.local\tbar.local
`,
  );
});
