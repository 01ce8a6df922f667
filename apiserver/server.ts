import type { Logger } from 'pino';
import { definitions } from '../api/openapi.ts';
import type { Store } from '../store/store.ts';
import { admissionPlugins } from './admission/plugins.ts';
import { AdmissionChain } from './admission/admission.ts';
import { ServiceAccountTokens } from './authentication/service-account-tokens.ts';
import { union } from './authorization/authorizer.ts';
import { NodeAuthorizer } from './authorization/node.ts';
import { RbacAuthorizer } from './authorization/rbac.ts';
import { SuperuserAuthorizer } from './authorization/superuser.ts';
import { bootstrap } from './bootstrap/bootstrap.ts';
import { CustomResources } from './custom-resources/custom-resources.ts';
import type { HealthCheck } from './discovery/health.ts';
import { OpenApiDocuments } from './discovery/openapi.ts';
import type { ServerParts } from './endpoints/context.ts';
import { handleRequest } from './http/handler.ts';
import { defend, defended } from './http/last-defence.ts';
import type { ListenAddress, Listener } from './http/listen.ts';
import { listen } from './http/listen.ts';
import { Metrics } from './http/metrics.ts';
import { PathRoutes } from './http/path-routes.ts';
import { handleUpgrade } from './http/upgrade-handler.ts';
import { KubeletConnections } from './kubelet-proxy/kubelet-connections.ts';
import { BUILT_IN_KINDS } from './registry/built-in.ts';
import { isReview } from './registry/reviews.ts';
import { KindTable } from './registry/table.ts';
import { Feed } from './storage/feed.ts';
import { startHousekeeping } from './storage/housekeeping.ts';
import { Stores } from './storage/stores.ts';
import { encryptedValues, plainValues } from './storage/value-transformer.ts';

/** Keys and certificates, PEM. */
export interface ApiServerPki {
  /** Signs client certificates and the kubelets' serving certificates. */
  caCert: string;
  serverCert: string;
  serverKey: string;
  /** Private key (EC P-256 or RSA) that signs service account tokens. */
  serviceAccountKey: string;
  /** 32 bytes that encrypt Secrets in the store. */
  encryptionKey: Uint8Array;
  /** How the API server shows itself to kubelets. */
  kubeletClientCert: string;
  kubeletClientKey: string;
}

export interface ApiServerOptions {
  store: Store;
  /** The first address makes the server's URL. */
  listen: ListenAddress[];
  pki: ApiServerPki;
  log: Logger;
  /** `iss` and default `aud` of service account tokens. */
  issuer?: string;
  now?: () => Date;
  /** Called when the server cannot go on (the store's watch broke). */
  onFailure?: (error: unknown) => void;
}

export interface RunningApiServer {
  url: string;
  port: number;
  /** Ends watches and connections; the store stays open. */
  stop(): Promise<void>;
}

const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Starts the API server; resolves when it serves and the system's own objects are there. */
export async function startApiServer(options: ApiServerOptions): Promise<RunningApiServer> {
  const stopping = new AbortController();
  const server = assemble(options, stopping.signal);
  await server.feed.start();
  await server.customResources.start();
  await bootstrap({ stores: server.stores, feed: server.feed, now: () => server.now() });
  const stopHousekeeping = startHousekeeping({ store: options.store, server });
  const listeners = await openListeners(options, server);
  const stopDefending = defend();

  const [first] = listeners;
  const host = options.listen[0]?.host ?? '127.0.0.1';
  const port = first?.port ?? 0;
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    stop: async () => {
      stopping.abort();
      stopHousekeeping();
      await Promise.all(listeners.map((listener) => listener.close()));
      await server.customResources.stop();
      server.kubelets.close();
      server.feed.stop();
      stopDefending();
    },
  };
}

function assemble(options: ApiServerOptions, stopping: AbortSignal): ServerParts {
  const { store, pki, log } = options;
  const kinds = new KindTable(BUILT_IN_KINDS);
  const onFailure =
    options.onFailure ?? ((error: unknown) => log.fatal({ err: error }, 'watch of the store ended'));
  const feed = new Feed({ store, onFailure });
  const stored = BUILT_IN_KINDS.filter((kind) => !isReview(kind));
  const encrypted = encryptedValues(pki.encryptionKey);
  const stores = new Stores({ kinds: stored, store, feed, plain: plainValues, encrypted });
  const rbac = new RbacAuthorizer(stores);
  const authorizer = union([new SuperuserAuthorizer(), new NodeAuthorizer(stores), rbac]);
  const issuer = options.issuer ?? DEFAULT_ISSUER;
  const tls = { ca: pki.caCert, cert: pki.kubeletClientCert, key: pki.kubeletClientKey };
  const now = options.now ?? (() => new Date());
  const openApi = new OpenApiDocuments(kinds);
  const server: ServerParts = {
    kinds,
    stores,
    customResources: new CustomResources({ kinds, stores, openApi, log, now }),
    openApi,
    feed,
    definitions,
    authorizer,
    rulesFor: (user, namespace) => rbac.rulesFor(user, namespace),
    admission: new AdmissionChain(admissionPlugins({ stores, authorizer, rbac })),
    tokens: new ServiceAccountTokens({ issuer, privateKeyPem: pki.serviceAccountKey, stores }),
    kubelets: new KubeletConnections({ stores, tls }),
    log,
    now,
    stopping,
  };
  return server;
}

async function openListeners(options: ApiServerOptions, server: ServerParts): Promise<Listener[]> {
  const metrics = new Metrics();
  const [first] = options.listen;
  const paths = new PathRoutes({
    kinds: server.kinds,
    openApi: server.openApi,
    metrics,
    tokens: server.tokens,
    checks: healthChecks(options.store, server),
    serverAddress: `${first?.host ?? ''}:${first?.port ?? 0}`,
  });
  const { pki } = options;
  const opened: Listener[] = [];
  for (const address of options.listen) {
    const port = address.port === 0 ? (opened[0]?.port ?? 0) : address.port;
    opened.push(
      await listen({
        address: { host: address.host, port },
        cert: pki.serverCert,
        key: pki.serverKey,
        clientCa: pki.caCert,
        onRequest: (request, response) =>
          defended({ path: request.url, log: server.log, giveUp: () => response.destroy() }, () =>
            handleRequest({ server, paths, metrics }, request, response),
          ),
        onUpgrade: (request, socket, head) =>
          defended({ path: request.url ?? '', log: server.log, giveUp: () => socket.destroy() }, () =>
            handleUpgrade({ server, request, socket, head }),
          ),
      }),
    );
  }
  return opened;
}

const healthChecks = (store: Store, { feed }: ServerParts): HealthCheck[] => [
  { name: 'ping', check: () => Promise.resolve() },
  { name: 'etcd', check: async () => void (await store.currentRevision()) },
  {
    name: 'informer-sync',
    endpoint: 'readyz',
    check: async () => {
      if (!(await feed.until(await store.currentRevision(), 1000)))
        throw new Error('caches lag behind the store');
    },
  },
];
