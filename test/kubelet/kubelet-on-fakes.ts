import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { dir } from 'tmp-promise';
import type { CoreV1Event, Pod } from '../../api/types.ts';
import { startApiServer } from '../../apiserver/server.ts';
import { createClient } from '../../client/rest.ts';
import type { Client } from '../../client/rest.ts';
import { events, pods } from '../../client/resources.ts';
import { encryptionKey, openCertificateAuthority, serviceAccountKeys } from '../../cluster/certificates.ts';
import type { KubeletOptions } from '../../kubelet/kubelet-options.ts';
import type { CgroupTree } from '../../kubelet/resources/pod-cgroups.ts';
import { startKubelet } from '../../kubelet/start-kubelet.ts';
import type { Kubelet } from '../../kubelet/start-kubelet.ts';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import { testLog } from '../client/api-server.ts';
import { startFakeCri } from './fake-cri.ts';
import type { FakeCri } from './fake-cri.ts';
import { until } from '../environment.ts';

const noCgroups: CgroupTree = {
  createCgroup: () => undefined,
  updateCgroup: () => undefined,
  removeCgroup: () => undefined,
  exists: () => true,
  children: () => [],
};

/** A kubelet on a real API server and a fake runtime. */
export interface Bench {
  client: Client;
  cri: FakeCri;
  kubelet: Kubelet;
  nodeName: string;
  dir: string;
  /** The cluster's CA, and a client certificate of an administrator. */
  ca: string;
  admin: { cert: string; key: string };
  /** Starts the kubelet anew, as after a SIGKILL; `meanwhile` happens while there is none. */
  restartKubelet(meanwhile?: () => Promise<void>): Promise<void>;
  createPod(pod: Omit<Pod, 'apiVersion' | 'kind'>): Promise<Pod>;
  pod(name: string): Promise<Pod>;
  /** Polls until the Pod is as wanted; fails after ten seconds with what it was. */
  podUntil(name: string, wanted: (pod: Pod) => boolean): Promise<Pod>;
  gone(name: string): Promise<void>;
  eventsOf(name: string): Promise<CoreV1Event[]>;
  eventUntil(name: string, wanted: (event: CoreV1Event) => boolean): Promise<CoreV1Event>;
}

export async function startBench(t: ExecutionContext, options: Partial<KubeletOptions> = {}): Promise<Bench> {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'kubelet-test' });
  const authority = await openCertificateAuthority(join(path, 'pki'));
  const server = await authority.issue('apiserver', {
    usage: 'server',
    commonName: 'kube-apiserver',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const admin = await authority.issue('admin', {
    usage: 'client',
    commonName: 'kubernetes-admin',
    organizations: ['system:masters'],
  });
  const store = openEmbeddedStore({ dir: join(path, 'store') });
  const api = await startApiServer({
    store,
    listen: [{ host: '127.0.0.1', port: 0 }],
    pki: {
      caCert: authority.cert,
      serverCert: server.cert,
      serverKey: server.key,
      serviceAccountKey: (await serviceAccountKeys(join(path, 'pki'))).privateKey,
      encryptionKey: await encryptionKey(join(path, 'pki')),
      kubeletClientCert: admin.cert,
      kubeletClientKey: admin.key,
    },
    log: testLog,
  });
  const client = createClient({ server: api.url, ca: authority.cert, ...admin });
  await client.request({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }),
  });
  const cri = await startFakeCri({ socketPath: join(path, 'cri.sock') });
  const nodeName = 'node-1';
  const start = () =>
    startKubelet({
      nodeName,
      nodeIp: '127.0.0.1',
      client: createClient({ server: api.url, ca: authority.cert, ...admin }),
      criSocket: cri.socketPath,
      rootDir: join(path, 'kubelet'),
      cgroupRoot: '/ll-test',
      cgroups: noCgroups,
      port: 0,
      tls: { cert: server.cert, key: server.key, clientCa: authority.cert },
      log: testLog,
      ...options,
    });
  let kubelet = await start();
  await kubelet.ready;
  t.teardown(async () => {
    await kubelet.stop();
    await cri.stop();
    client.close();
    await api.stop();
    await store.close();
    await cleanup();
  });
  const podClient = client.resource(pods);
  const pod = (name: string) => podClient.get({ name, namespace: 'default' });
  const eventsOf = async (name: string) => {
    const { items } = await client.resource(events).list({ namespace: 'default' });
    return items.filter(({ involvedObject }) => involvedObject.name === name);
  };
  return {
    client,
    cri,
    get kubelet() {
      return kubelet;
    },
    nodeName,
    dir: path,
    ca: authority.cert,
    admin,
    async restartKubelet(meanwhile) {
      await kubelet.stop();
      await meanwhile?.();
      kubelet = await start();
      await kubelet.ready;
    },
    async createPod({ metadata, spec }) {
      if (!spec) throw new Error('a pod has a spec');
      return podClient.create({
        object: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { namespace: 'default', ...metadata },
          spec: { nodeName, automountServiceAccountToken: false, ...spec },
        },
      });
    },
    pod,
    async podUntil(name, wanted) {
      let last: Pod | undefined;
      try {
        return await until(`pod ${name}`, async () => {
          last = await pod(name);
          return wanted(last) ? last : undefined;
        });
      } catch (error) {
        t.log(JSON.stringify(last?.status, null, 1));
        throw error;
      }
    },
    async gone(name) {
      await until(`pod ${name} gone`, async () =>
        pod(name).then(
          () => false,
          (error: { status?: { code?: number } }) => error.status?.code === 404,
        ),
      );
    },
    eventsOf,
    async eventUntil(name, wanted) {
      let last: CoreV1Event[] = [];
      try {
        return await until(`event of ${name}`, async () => {
          last = await eventsOf(name);
          return last.find(wanted);
        });
      } catch (error) {
        t.log(last.map(({ type, reason, message }) => `${type} ${reason} ${message}`).join('\n'));
        throw error;
      }
    },
  };
}
