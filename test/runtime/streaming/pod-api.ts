import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { proxyUpgrade } from '../../../client/upgrade-proxy.ts';
import { startStreamingServer } from '../../../runtime/streaming/server.ts';
import type { StreamingServer } from '../../../runtime/streaming/server.ts';
import { selfSignedCertificate } from '../../client/certificate.ts';
import { createHostRuntime } from './host-runtime.ts';

/**
 * As much of an API server as kubectl needs to exec, attach, port-forward and cp: one Pod, whose connections are spliced to
 * a streaming server over TLS, as the API server and the kubelet do it.
 */
export async function startPodApi() {
  const { cert, key } = await selfSignedCertificate();
  const runtime = createHostRuntime();
  const streaming = await startStreamingServer({ address: '127.0.0.1', tls: { cert, key }, runtime });
  const server = createServer(serveObjects);
  const upgrades: string[] = [];
  server.on('upgrade', (request, socket, head) => {
    const { upgrade, 'sec-websocket-protocol': protocol } = request.headers;
    upgrades.push(`${upgrade} ${protocol ?? ''}`.trim());
    const target = { url: streamingUrl(request, streaming), tls: { ca: cert } };
    void proxyUpgrade({ request, socket, head, target });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runtime,
    /** What every connection was upgraded to: a client falls back to SPDY when a WebSocket is refused. */
    upgrades,
    async [Symbol.asyncDispose]() {
      await streaming.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

function streamingUrl(request: IncomingMessage, streaming: StreamingServer): string {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://api');
  const asked = (name: string) => ['1', 'true'].includes(searchParams.get(name) ?? '');
  const tty = asked('tty');
  const streams = { tty, stdin: asked('stdin'), stdout: asked('stdout'), stderr: asked('stderr') && !tty };
  if (pathname.endsWith('/exec')) {
    return streaming.getExecUrl({ containerId: 'c', cmd: searchParams.getAll('command'), ...streams });
  }
  if (pathname.endsWith('/attach')) return streaming.getAttachUrl({ containerId: 'c', ...streams });
  return streaming.getPortForwardUrl({ podSandboxId: 's', port: searchParams.getAll('ports').map(Number) });
}

const container = { name: 'c', image: 'busybox', stdin: true };
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { containers: [container] },
  status: { phase: 'Running', containerStatuses: [{ name: 'c', ready: true, state: { running: {} } }] },
};

const podResource = {
  name: 'pods',
  singularName: 'pod',
  namespaced: true,
  kind: 'Pod',
  verbs: ['get', 'list'],
};
const objects: Record<string, unknown> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [podResource] },
  '/api/v1/namespaces/default/pods/p': pod,
};

function serveObjects(request: IncomingMessage, response: ServerResponse): void {
  const found = objects[(request.url ?? '').replace(/\?.*/, '')];
  response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }));
}
