import type { Service } from '../../api/types.ts';
import { createInformer } from '../../client/informer.ts';
import type { Informer } from '../../client/informer.ts';
import { services } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import { messageOf } from '../cri/cri-error.ts';
import { NotReadYetError } from '../environment/container-config-error.ts';
import { isStaticPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';

/** The variables by which a container finds Services (`KUBERNETES_SERVICE_HOST`, Docker's link variables). */
export interface ServiceEnvironment {
  /** Throws NotReadYetError while the Services were never read; a static Pod doesn't wait for the API server. */
  of(pod: KubeletPod): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

/** Services of the master's namespace that every Pod gets to know. */
const masterNamespace = 'default';
const masterServices = new Set(['kubernetes']);

export function followServices({ client, log }: { client: Client; log: KubeletLog }): ServiceEnvironment {
  const informer = createInformer<Service>({
    client,
    resource: services,
    onError: (error) => log.debug({ error: messageOf(error) }, 'cannot watch services'),
  });
  informer.start();
  return {
    async of(pod) {
      if (!informer.hasSynced() && !isStaticPod(pod)) await read(informer);
      return serviceVariables(informer.lister.list(), pod);
    },
    stop: () => informer.stop(),
  };
}

/** Mostly they come within milliseconds; without them a container would never know of the API server. */
async function read(informer: Informer<Service>): Promise<void> {
  try {
    await informer.waitForSync(AbortSignal.timeout(1000));
  } catch (cause) {
    const message = 'services have not yet been read at least once, cannot construct envvars';
    throw new NotReadYetError(message, { cause });
  }
}

/** All Services of the Pod's namespace with enableServiceLinks, and the API server's in any case (upstream: envvars). */
export function serviceVariables(all: Service[], { metadata, spec }: KubeletPod): Record<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of all) {
    const { name = '', namespace } = service.metadata ?? {};
    if (!isProxied(service)) continue;
    if (namespace === metadata.namespace && spec.enableServiceLinks !== false) chosen.set(name, service);
    else if (namespace === masterNamespace && masterServices.has(name) && !chosen.has(name)) {
      chosen.set(name, service);
    }
  }
  return Object.assign({}, ...[...chosen.values()].map(variablesOf)) as Record<string, string>;
}

const isProxied = ({ spec }: Service): boolean =>
  spec?.clusterIP !== undefined && spec.clusterIP !== 'None' && spec.clusterIP !== '';

const upper = (name: string): string => name.toUpperCase().replaceAll('-', '_');

function variablesOf({ metadata, spec }: Service): Record<string, string> {
  const prefix = upper(metadata?.name ?? '');
  const ip = spec?.clusterIP ?? '';
  const ports = spec?.ports ?? [];
  const [first] = ports;
  if (!first) return {};
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const urlOf = ({ protocol = 'TCP', port }: (typeof ports)[number]) =>
    `${protocol.toLowerCase()}://${host}:${port}`;
  return {
    [`${prefix}_SERVICE_HOST`]: ip,
    [`${prefix}_SERVICE_PORT`]: String(first.port),
    ...Object.fromEntries(
      ports.flatMap(({ name, port }) =>
        name ? [[`${prefix}_SERVICE_PORT_${upper(name)}`, String(port)]] : [],
      ),
    ),
    [`${prefix}_PORT`]: urlOf(first),
    ...Object.fromEntries(
      ports.flatMap((port) => {
        const { protocol = 'TCP', port: number } = port;
        const link = `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
        return [
          [link, urlOf(port)],
          [`${link}_PROTO`, protocol.toLowerCase()],
          [`${link}_PORT`, String(number)],
          [`${link}_ADDR`, ip],
        ];
      }),
    ),
  };
}
