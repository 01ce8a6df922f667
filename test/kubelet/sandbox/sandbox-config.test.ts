import test from 'ava';
import { sandboxConfig } from '../../../kubelet/sandbox/sandbox-config.ts';
import { podOf } from '../pod-builder.ts';

const dns = { clusterDomain: 'cluster.local', clusterDns: [] };

test('a user namespace is refused, not left out', (t) => {
  const configOf = (hostUsers?: boolean) =>
    sandboxConfig({
      pod: podOf({ containers: [{ name: 'main' }], ...(hostUsers === undefined ? {} : { hostUsers }) }),
      attempt: 0,
      cgroupParent: '/pod',
      logRoot: '/logs',
      dns,
    });
  t.throws(() => configOf(false), {
    message: "can't set `spec.hostUsers: false`, runtime does not support user namespaces",
  });
  t.is(configOf(true).metadata?.name, configOf().metadata?.name);
});
