import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { rpcErrorWords } from '../cri/cri-error.ts';
import { grpcDeadline } from '../cri/grpc-deadline.ts';
import { goDuration } from '../go-duration.ts';
import type { ProbeOutcome } from './run-probe.ts';

const servingNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** grpc.health.v1.Health/Check (KEP-2727), in upstream's words (probe/grpc/grpc.go). */
export async function grpcHealth({
  host,
  port,
  service,
  timeoutMs,
}: {
  host: string;
  port: number;
  service: string;
  timeoutMs: number;
}): Promise<ProbeOutcome> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.36',
  });
  try {
    await ready(client, grpcDeadline(timeoutMs));
  } catch (error) {
    client.close();
    const words = `timeout: failed to connect service "${address}" within ${goDuration(timeoutMs)}: context deadline exceeded`;
    return { result: 'failure', output: error instanceof Error ? words : String(error) };
  }
  try {
    const status = await check(client, service, grpcDeadline(timeoutMs));
    if (status === 1) return { result: 'success', output: 'service healthy' };
    const name = servingNames[status] ?? String(status);
    return { result: 'failure', output: `service unhealthy (responded with "${name}")` };
  } catch (error) {
    return { result: 'failure', output: failureWords(error as ServiceError, timeoutMs) };
  } finally {
    client.close();
  }
}

const ready = (client: Client, deadline: number) =>
  new Promise<void>((resolve, reject) => {
    client.waitForReady(deadline, (error) => (error ? reject(error) : resolve()));
  });

/** HealthCheckRequest{service=1: string} and HealthCheckResponse{status=1: enum} by hand: one field each. */
function check(client: Client, service: string, deadline: number): Promise<number> {
  const name = Buffer.from(service);
  const request = Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => (bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0),
      name.length > 0 ? request : Buffer.alloc(0),
      new Metadata(),
      { deadline },
      (error, status) => (error ? reject(error) : resolve(status ?? 0)),
    );
  });
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return Buffer.from(bytes);
  }
}

function failureWords({ code, details }: ServiceError, timeoutMs: number): string {
  if (code === 12) {
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`;
  }
  if (code === 4) return `timeout: health rpc did not complete within ${goDuration(timeoutMs)}`;
  return `error: health rpc probe failed: ${rpcErrorWords(code, details)}`;
}
