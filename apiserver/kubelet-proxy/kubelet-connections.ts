import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Agent, request as httpsRequest } from 'node:https';
import type { Node } from '../../api/types.ts';
import { hasCode } from '../../linux/system-error.ts';
import { badRequest, internalError, notFoundError } from '../http/errors.ts';
import { node as nodeKind } from '../registry/core/node.ts';
import type { Stores } from '../storage/stores.ts';

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

  /** Sends a request to a kubelet; resolves with its answer, whose body is still to be read. Throws 500 when it cannot be reached. */
  request(options: {
    url: string;
    method: string;
    headers?: Record<string, string | string[] | undefined>;
    body?: Readable;
    signal: AbortSignal;
  }): Promise<IncomingMessage> {
    const { url, method, headers = {}, body, signal } = options;
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(url, { method, headers, agent: this.#agent, signal }, resolve);
      outgoing.once('error', (error) => {
        // The kubelet had closed the kept connection, or was another one: nothing was done, so it is asked on a new one.
        const isStale = outgoing.reusedSocket && hasCode(error, 'ECONNRESET', 'EPIPE');
        if (isStale && method === 'GET' && body === undefined) resolve(this.request(options));
        else reject(dialError({ url, method, error }));
      });
      if (body === undefined) outgoing.end();
      else body.pipe(outgoing);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Upstream's words for an unreachable kubelet: `Get "https://…": dial tcp …: connection refused`. */
function dialError({ url, method, error }: { url: string; method: string; error: Error }) {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return internalError(`${verb} ${JSON.stringify(url)}: ${error.message}`);
}

/** 400 for a Pod that has no node yet. */
export const noHostError = (name: string) => badRequest(`pod ${name} does not have a host assigned`);
