import { request as httpRequest } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Pod } from '../../../api/types.ts';
import { notFoundError, serviceUnavailable } from '../../http/errors.ts';
import type { Endpoint, ResourceRequest } from '../context.ts';
import { placeOfRequest } from '../place.ts';
import { forwardAnswer } from './forward-answer.ts';

/** nodes/proxy: the kubelet's own API, e.g. /api/v1/nodes/node-1/proxy/stats/summary. Throws 404. */
export const proxyNode: Endpoint = (request) => {
  const { server, info } = request;
  const [name = '', port] = info.name.split(':');
  const base = server.kubelets.baseUrl(name);
  const url = new URL(port === undefined ? base : base.replace(/:\d+$/, `:${port}`));
  url.pathname = `/${info.rest}`;
  url.search = info.query.toString();
  return forwardAnswer({
    request,
    url: url.href,
    method: info.method,
    headers: passedHeaders(request),
    withBody: true,
  });
};

/** pods/proxy: HTTP to a port of the Pod: pods/NAME:PORT/proxy/path. Throws 404 and 503. */
export const proxyPod: Endpoint = async (request) => {
  const { server, info, kind, request: incoming, response } = request;
  const [name = '', port = '80'] = info.name.split(':');
  const place = { ...placeOfRequest(request), name };
  const pod = (await server.stores.of(kind).find(place))?.object as Pod | undefined;
  if (pod === undefined) throw notFoundError(kind, name);
  const host = pod.status?.podIP;
  if (host === undefined || isOwnHost(host)) throw serviceUnavailable('address not allowed');
  const path = `/${info.rest}${info.query.size > 0 ? `?${info.query.toString()}` : ''}`;
  await new Promise<void>((resolve, reject) => {
    const outgoing = httpRequest(
      { host, port, path, method: info.method, headers: passedHeaders(request) },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, {
          'content-type': answer.headers['content-type'] ?? 'text/plain',
        });
        answer.pipe(response as unknown as NodeJS.WritableStream);
        answer.once('close', resolve);
      },
    );
    outgoing.once('error', (error) =>
      reject(serviceUnavailable(`error trying to reach service: ${error.message}`)),
    );
    incoming.pipe(outgoing);
  });
  return undefined;
};

/** Addresses that are the server's own, whatever a Pod's status says (upstream: proxyutil IsProxyableIP). */
const ownHosts = new BlockList();
ownHosts.addSubnet('127.0.0.0', 8);
ownHosts.addSubnet('169.254.0.0', 16);
ownHosts.addSubnet('224.0.0.0', 4);
ownHosts.addAddress('0.0.0.0');
ownHosts.addAddress('::1', 'ipv6');
ownHosts.addSubnet('fe80::', 10, 'ipv6');
ownHosts.addSubnet('ff00::', 8, 'ipv6');

const isOwnHost = (host: string): boolean =>
  isIP(host) === 0 || ownHosts.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');

/** The client's credentials never travel on. */
function passedHeaders({ request }: ResourceRequest): Record<string, string | string[] | undefined> {
  const own = ['authorization', 'host', 'connection', 'upgrade', 'cookie'];
  const entries = Object.entries(request.headers).filter(
    ([name]) => !name.startsWith(':') && !own.includes(name) && !name.startsWith('impersonate-'),
  );
  return Object.fromEntries(entries);
}
