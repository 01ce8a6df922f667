import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { startApiServer } from '../../apiserver/server.ts';
import { createClient } from '../../client/rest.ts';
import { serviceAccounts } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { encryptionKey, openCertificateAuthority, serviceAccountKeys } from '../../cluster/certificates.ts';
import { openEmbeddedStore } from '../../store/embedded/open.ts';

/** A log for tests: silent unless PODWRIGHT_TEST_LOG names a level. */
export const testLog = pino({ level: process.env['PODWRIGHT_TEST_LOG'] ?? 'silent' }, process.stderr);

/** The service account of Pods that name none, without which they are not admitted. */
export const createDefaultAccount = async (client: Client): Promise<void> => {
  const metadata = { name: 'default', namespace: 'default' };
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
  await client.resource(serviceAccounts).create({ object });
};

/** Our own API server on a fresh store and a free port, and clients of it. `stop` ends all of it. */
export const startTestApiServer = async () => {
  const dir = mkdtempSync(join(tmpdir(), 'cc-api-'));
  const authority = await openCertificateAuthority(join(dir, 'pki'));
  const issue = (name: string, commonName: string, organizations: string[] = []) =>
    authority.issue(name, { usage: 'client', commonName, organizations });
  const serving = await authority.issue('apiserver', {
    usage: 'server',
    commonName: 'kube-apiserver',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const kubeletClient = await issue('kubelet-client', 'kube-apiserver-kubelet-client', ['system:masters']);
  const store = openEmbeddedStore({ dir: join(dir, 'store') });
  const server = await startApiServer({
    store,
    listen: [{ host: '127.0.0.1', port: 0 }],
    pki: {
      caCert: authority.cert,
      serverCert: serving.cert,
      serverKey: serving.key,
      serviceAccountKey: (await serviceAccountKeys(join(dir, 'pki'))).privateKey,
      encryptionKey: await encryptionKey(join(dir, 'pki')),
      kubeletClientCert: kubeletClient.cert,
      kubeletClientKey: kubeletClient.key,
    },
    log: testLog,
  });
  const clients: Client[] = [];
  const clientAs = async (commonName: string, organizations: string[] = []): Promise<Client> => {
    const identity = await issue(randomBytes(4).toString('hex'), commonName, organizations);
    const client = createClient({ server: server.url, ca: authority.cert, ...identity });
    clients.push(client);
    return client;
  };
  return {
    rootCaPem: authority.cert,
    url: server.url,
    clientAs,
    /** May do everything. */
    admin: () => clientAs('kubernetes-admin', ['system:masters']),
    async stop() {
      for (const client of clients) client.close();
      await server.stop();
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
};
