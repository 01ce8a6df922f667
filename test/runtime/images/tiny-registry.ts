import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/**
 * Serves the image of an OCI layout as `HOST/team/app:1`, as registries do (OCI distribution specification, pull). With
 * `password` only for the user `reader`, and with `stalled` without a byte of any blob, until resume(). Counts the manifests given out.
 */
export async function serveLayout(
  layout: string,
  {
    manifestDigest,
    password,
    stalled = false,
  }: { manifestDigest: string; password?: string; stalled?: boolean },
): Promise<{ host: string; manifestRequests(): number; resume(): void; close(): void }> {
  let manifestRequests = 0;
  let stalls = stalled;
  const server = createServer((request, response) => {
    const wanted =
      password === undefined ? undefined : `Basic ${Buffer.from(`reader:${password}`).toString('base64')}`;
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      response.writeHead(401, {
        'www-authenticate': 'Basic realm="tiny"',
        'content-type': 'application/json',
      });
      return void response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    }
    const path = request.url ?? '';
    const [, digest] = /^\/v2\/team\/app\/(?:blobs|manifests)\/(1|sha256:[0-9a-f]+)$/.exec(path) ?? [];
    if (path === '/v2/') return void response.end('{}');
    if (digest === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      return void response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    }
    const isManifest = path.includes('/manifests/');
    if (isManifest && request.method === 'GET') manifestRequests++;
    const name = digest === '1' ? manifestDigest : digest;
    const data = readFileSync(join(layout, 'blobs', ...name.split(':')));
    const type = isManifest ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream';
    response.writeHead(200, {
      'content-type': type,
      'content-length': data.length,
      'docker-content-digest': name,
    });
    if (stalls && !isManifest) return response.flushHeaders();
    return void response.end(request.method === 'HEAD' ? undefined : data);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    manifestRequests: () => manifestRequests,
    resume: () => void (stalls = false),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
