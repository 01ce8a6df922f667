import test from 'ava';
import type { Service } from '../../../api/types.ts';
import { serviceVariables } from '../../../kubelet/node/service-environment.ts';
import { podOf } from '../pod-builder.ts';

const service = (namespace: string, name: string, clusterIP: string): Service => ({
  metadata: { namespace, name },
  spec: { clusterIP, ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
});

test('the variables of services', (t) => {
  const all = [
    service('default', 'kubernetes', '10.96.0.1'),
    service('default', 'my-db', '10.96.0.5'),
    service('default', 'headless', 'None'),
    service('other', 'far', '10.96.0.6'),
  ];
  const linked = serviceVariables(all, podOf());
  t.like(linked, {
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
    MY_DB_SERVICE_HOST: '10.96.0.5',
  });
  t.false(Object.keys(linked).some((name) => name.startsWith('FAR') || name.startsWith('HEADLESS')));
  const without = serviceVariables(all, podOf({ enableServiceLinks: false }));
  t.true('KUBERNETES_SERVICE_HOST' in without);
  t.false('MY_DB_SERVICE_HOST' in without);
});
