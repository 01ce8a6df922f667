import type { RouteRequest } from '../server.ts';

export async function healthz({ response }: RouteRequest): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok');
}
