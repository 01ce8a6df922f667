import { Client, credentials } from '@grpc/grpc-js';
import type { ClientReadableStream, MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { criServices } from './protocol.ts';
import type { ImageService, RuntimeService, Sent } from './types.ts';

interface Method {
  request: unknown;
  response: unknown;
  stream: boolean;
}

/** A service's RPCs as functions: a promise of the response, or a readable stream of responses. */
export type CriClient<Service extends object> = {
  [Name in keyof Service]: Service[Name] extends Method
    ? (
        request: Sent<Service[Name]['request']>,
        options?: CallOptions,
      ) => Service[Name]['stream'] extends true
        ? ClientReadableStream<Service[Name]['response']>
        : Promise<Service[Name]['response']>
    : never;
};

export interface CallOptions {
  /** The call fails with DEADLINE_EXCEEDED after this time; never by default. */
  timeoutMs?: number;
}

/**
 * Clients of a CRI v1 socket. Each RPC rejects with grpc-js' ServiceError: `code` is the gRPC status, `details` the server's words.
 * One HTTP/2 connection carries all calls; `close()` ends it.
 */
export function connectCri({ socketPath }: { socketPath: string }): {
  runtime: CriClient<RuntimeService>;
  image: CriClient<ImageService>;
  close(): void;
} {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.max_send_message_length': 16 * 1024 * 1024,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 500,
  });
  const services = criServices();
  return {
    runtime: callsOf<RuntimeService>(client, services.runtime),
    image: callsOf<ImageService>(client, services.image),
    close: () => client.close(),
  };
}

function callsOf<Service extends object>(client: Client, service: ServiceDefinition): CriClient<Service> {
  const calls = Object.entries(service).map(([name, method]) => [name, callOf(client, method)]);
  return Object.fromEntries(calls) as CriClient<Service>;
}

type AnyMethod = MethodDefinition<object, object>;

function callOf(client: Client, method: AnyMethod) {
  return (request: object, { timeoutMs }: CallOptions = {}) => {
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    if (method.responseStream)
      return client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        options,
      );
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        options,
        (error, response) => (error ? reject(error) : resolve(response)),
      );
    });
  };
}
