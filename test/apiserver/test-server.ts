import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { startApiServer } from '../../apiserver/server.ts';
import type { ApiServerOptions } from '../../apiserver/server.ts';
import { encryptionKey, openCertificateAuthority, serviceAccountKeys } from '../../cluster/certificates.ts';
import type { KeyPair } from '../../cluster/certificates.ts';
import { findKubectl } from '../../cli/find-kubectl.ts';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import { testLog } from '../client/api-server.ts';
import { patience } from '../environment.ts';

/** What a request is made with; without an identity and a token it is anonymous. */
export interface CallOptions {
  as?: KeyPair | undefined;
  token?: string;
  body?: unknown;
  headers?: Record<string, string | string[]>;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  // Tests read what they expect to be there; a wrong path fails the assertion.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

export interface WatchLine {
  type: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  object: any;
}

/** An API server on a fresh store and a free port, with its own authority. Ends with the test. */
export async function startTestServer(t: ExecutionContext, options: Partial<ApiServerOptions> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'pp-api-'));
  const authority = await openCertificateAuthority(join(dir, 'pki'));
  const identity = (commonName: string, organizations: string[] = []): Promise<KeyPair> =>
    authority.issue(`${commonName.replaceAll(/\W/g, '-')}-${organizations.length}`, {
      usage: 'client',
      commonName,
      organizations,
    });
  const serving = await authority.issue('apiserver', {
    usage: 'server',
    commonName: 'kube-apiserver',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const admin = await identity('kubernetes-admin', ['system:masters']);
  const storeDir = join(dir, 'store');
  const launch = async () => {
    const store = openEmbeddedStore({ dir: storeDir });
    const server = await startApiServer({
      store,
      listen: [{ host: '127.0.0.1', port: 0 }],
      pki: {
        caCert: authority.cert,
        serverCert: serving.cert,
        serverKey: serving.key,
        serviceAccountKey: (await serviceAccountKeys(join(dir, 'pki'))).privateKey,
        encryptionKey: await encryptionKey(join(dir, 'pki')),
        kubeletClientCert: admin.cert,
        kubeletClientKey: admin.key,
      },
      log: testLog,
      ...options,
    });
    return { store, server };
  };
  let running = await launch();
  const agents: Agent[] = [];
  const stop = async () => {
    await running.server.stop();
    await running.store.close();
  };
  t.teardown(async () => {
    for (const agent of agents) agent.destroy();
    await stop();
    rmSync(dir, { recursive: true });
  });

  const agentOf = new Map<KeyPair | undefined, Agent>();
  const agentFor = (as: KeyPair | undefined): Agent => {
    const known = agentOf.get(as);
    if (known !== undefined) return known;
    const agent = new Agent({ keepAlive: true, ca: authority.cert, ...(as !== undefined && as) });
    agents.push(agent);
    agentOf.set(as, agent);
    return agent;
  };

  const open = (method: string, path: string, call: CallOptions = {}): Promise<IncomingMessage> => {
    const as = 'as' in call ? call.as : call.token === undefined ? admin : undefined;
    const body =
      call.body === undefined || typeof call.body === 'string' || Buffer.isBuffer(call.body)
        ? call.body
        : JSON.stringify(call.body);
    const headers = {
      ...(body !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      }),
      ...(call.token !== undefined && { authorization: `Bearer ${call.token}` }),
      ...call.headers,
    };
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        `${running.server.url}${path}`,
        { method, headers, agent: agentFor(as) },
        resolve,
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  };

  const call = async (method: string, path: string, options_: CallOptions = {}): Promise<Answer> => {
    const response = await open(method, path, options_);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const isJson = (response.headers['content-type'] ?? '').startsWith('application/json');
    const body = (
      isJson && response.headers['content-encoding'] === undefined ? JSON.parse(text) : undefined
    ) as unknown;
    return { status: response.statusCode ?? 0, headers: response.headers, text, body };
  };

  return {
    dir,
    storeDir,
    admin,
    authority,
    identity,
    call,
    open,
    get url() {
      return running.server.url;
    },
    get: (path: string, options_?: CallOptions) => call('GET', path, options_),
    post: (path: string, body: unknown, options_?: CallOptions) => call('POST', path, { ...options_, body }),
    put: (path: string, body: unknown, options_?: CallOptions) => call('PUT', path, { ...options_, body }),
    remove: (path: string, options_?: CallOptions) => call('DELETE', path, options_),
    patch: (path: string, body: unknown, type = 'application/merge-patch+json', options_?: CallOptions) =>
      call('PATCH', path, { ...options_, body, headers: { 'content-type': type, ...options_?.headers } }),

    /** Follows a watch; `next` waits for the next line, `end` leaves. */
    async watch(path: string, options_?: CallOptions) {
      const response = await open('GET', path, options_);
      const lines = createInterface({ input: response })[Symbol.asyncIterator]();
      return {
        status: response.statusCode,
        async next(): Promise<WatchLine | undefined> {
          const { value, done } = await lines.next();
          return done === true ? undefined : (JSON.parse(value) as WatchLine);
        },
        end: () => response.destroy(),
      };
    },

    /** Stops the server and its store and starts them again on the same files. */
    async restart() {
      await stop();
      for (const agent of agents.splice(0)) agent.destroy();
      agentOf.clear();
      running = await launch();
    },

    /** Runs kubectl as the administrator (or with another identity) in a folder of its own. */
    kubectl: (
      args: string[],
      kubectl: { binary?: string; as?: KeyPair; input?: string; env?: NodeJS.ProcessEnv } = {},
    ) =>
      runKubectl({
        dir,
        url: running.server.url,
        ca: authority.cert,
        args,
        as: kubectl.as ?? admin,
        ...kubectl,
      }),
  };
}

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

interface KubectlOptions {
  dir: string;
  url: string;
  ca: string;
  as: KeyPair;
  args: string[];
  binary?: string;
  input?: string;
  env?: NodeJS.ProcessEnv;
}

async function runKubectl({ dir, url, ca, as, args, binary, input, env }: KubectlOptions) {
  const path = join(dir, 'kubeconfig');
  writeFileSync(path, JSON.stringify(kubeconfigOf({ url, ca, as })));
  const timeout = 30_000 * patience;
  const options = { cwd: dir, env: { ...process.env, HOME: dir, KUBECONFIG: path, ...env }, timeout };
  const program = binary ?? (await findKubectl());
  return await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      const killed = error?.killed === true ? `killed after ${timeout} ms\n` : '';
      const notStarted = typeof error?.code === 'string' ? error.message : '';
      resolve({ code, stdout, stderr: stderr + killed + notStarted });
    });
    child.stdin?.end(input ?? '');
  });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const kubeconfigOf = ({ url, ca, as }: { url: string; ca: string; as: KeyPair }) => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'test',
  clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
  users: [
    { name: 'test', user: { 'client-certificate-data': base64(as.cert), 'client-key-data': base64(as.key) } },
  ],
  contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
});

/** A Pod that validates; without an account it needs `serviceAccount`. */
export const podNamed = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'busybox' }], automountServiceAccountToken: false, ...spec },
});

/** Makes the account that the service account controller would have made. */
export const makeDefaultAccount = (server: TestServer) =>
  server.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });

export const configMap = (
  name: string,
  data: Record<string, string> = {},
  labels?: Record<string, string>,
) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(labels !== undefined && { labels }) },
  data,
});

export const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
export const PODS = '/api/v1/namespaces/default/pods';
