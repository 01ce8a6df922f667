import type { IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import type { Node } from '../../api/types.ts';
import { badRequest, internalError, notFoundError } from '../http/errors.ts';
import { node as nodeKind } from '../registry/core/node.ts';
import type { Stores } from '../storage/stores.ts';
import { send } from './send.ts';
import type { OutgoingRequest } from './send.ts';

const DEFAULT_PORT = 10250;

/** The TLS identity with which the API server shows itself to kubelets. */
export interface KubeletTls {
  ca: string;
  cert: string;
  key: string;
}

/** Finds the kubelets of nodes and talks HTTPS to them. */
export class KubeletConnections {
  readonly tls: KubeletTls;
  readonly #stores: Stores;
  readonly #agent: Agent;

  constructor(options: { stores: Stores; tls: KubeletTls }) {
    this.#stores = options.stores;
    this.tls = options.tls;
    this.#agent = new Agent({ keepAlive: true, ...options.tls });
  }

  /** The base URL of a node's kubelet. Throws 404 when there is no such node, 500 when it has no address. */
  baseUrl(nodeName: string): string {
    const node = this.#stores.named('', 'nodes').peek({ namespace: '', name: nodeName }) as Node | undefined;
    if (node === undefined) throw notFoundError(nodeKind, nodeName);
    const addresses = node.status?.addresses ?? [];
    const address = addresses.find(({ type }) => type === 'InternalIP') ?? addresses[0];
    if (address === undefined) throw internalError(`no preferred addresses found; known addresses: []`);
    const host = address.address.includes(':') ? `[${address.address}]` : address.address;
    return `https://${host}:${node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? DEFAULT_PORT}`;
  }

  /** Sends a request to a kubelet; resolves with its answer, whose body is still to be read. Rejects when there is none. */
  send(options: OutgoingRequest): Promise<IncomingMessage> {
    return send({ ...options, agent: this.#agent });
  }

  /** As `send`; throws 500 when the kubelet cannot be reached. */
  async request(options: OutgoingRequest): Promise<IncomingMessage> {
    try {
      return await this.send(options);
    } catch (error) {
      throw dialError(options, error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Upstream's words for an unreachable kubelet: `Get "https://…": dial tcp …: connection refused`. */
function dialError({ url, method }: OutgoingRequest, error: unknown) {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const why = error instanceof Error ? error.message : String(error);
  return internalError(`${verb} ${JSON.stringify(url)}: ${why}`);
}

/** 400 for a Pod that has no node yet. */
export const noHostError = (name: string) => badRequest(`pod ${name} does not have a host assigned`);
