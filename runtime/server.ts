import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { isListening } from '../linux/is-listening.ts';
import { trace } from '../linux/trace.ts';
import { criServices } from './cri/protocol.ts';
import type { ImageService, RuntimeService, Sent } from './cri/types.ts';
import { CriError, messageOf } from './errors.ts';
import type { Runtime } from './runtime.ts';

/** What a handler may want to know besides the request. */
export interface Call {
  /** Aborted when the client waits no longer. */
  signal: AbortSignal;
}

/** How an RPC is answered: a response, responses one after the other, or a subscription that sends until the call ends. */
type Handler<Method> = Method extends {
  request: infer Request;
  response: infer Response;
  stream: infer Stream;
}
  ? Stream extends true
    ? | {
          stream: (
            runtime: Runtime,
            request: Request,
          ) => Iterable<Sent<Response>> | AsyncIterable<Sent<Response>>;
        }
      | { subscribe: (runtime: Runtime, send: (response: Sent<Response>) => void) => Disposable }
    : (runtime: Runtime, request: Request, call: Call) => Promise<Sent<Response>> | Sent<Response>
  : never;

export type Handlers<Service> = { [Name in keyof Service]?: Handler<Service[Name]> };

export interface CriHandlers {
  runtime: Handlers<RuntimeService>;
  image: Handlers<ImageService>;
}

const maxMessageBytes = 16 * 1024 * 1024;
const traced = trace('runtime');

/** Serves CRI v1 on a unix socket that only root can open. A socket left by a killed daemon is replaced. */
export async function serveCri(
  runtime: Runtime,
  { socketPath, handlers }: { socketPath: string; handlers: CriHandlers },
): Promise<{ stop(): Promise<void> }> {
  await refuseLivingServer(socketPath); // it may have come while this one took up what it found
  rmSync(socketPath, { force: true });
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o711 });
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.enable_channelz': 0, // books about every call that nobody can read
  });
  const services = criServices();
  server.addService(services.runtime, implement(runtime, handlers.runtime));
  server.addService(services.image, implement(runtime, handlers.image));
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  chmodSync(socketPath, 0o600);
  return {
    async stop() {
      server.forceShutdown();
      rmSync(socketPath, { force: true });
      await Promise.resolve();
    },
  };
}

/** Throws when a runtime is there already: to be asked before anything of its state is touched. */
export async function refuseLivingServer(socketPath: string): Promise<void> {
  if (await isListening(socketPath))
    throw new Error(`${socketPath}: another runtime already serves this socket`);
}

function implement(runtime: Runtime, handlers: object): UntypedServiceImplementation {
  const entries = Object.entries(handlers) as [string, AnyHandler][];
  return Object.fromEntries(
    entries.map(([name, handler]) => [
      name,
      typeof handler === 'function' ? unary(runtime, name, handler) : streaming(runtime, name, handler),
    ]),
  );
}

type AnyUnary = (runtime: Runtime, request: unknown, call: Call) => unknown;
type AnyHandler = AnyUnary | AnyStream;
interface AnyStream {
  stream?: (runtime: Runtime, request: unknown) => Iterable<unknown> | AsyncIterable<unknown>;
  subscribe?: (runtime: Runtime, send: (response: unknown) => void) => Disposable;
}

function unary(runtime: Runtime, name: string, handler: AnyUnary) {
  return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
    const began = performance.now();
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    Promise.try(handler, runtime, call.request, { signal: gone.signal }).then(
      (response) => {
        traced(name, { ms: Math.round((performance.now() - began) * 10) / 10 });
        callback(null, response);
      },
      (error: unknown) => {
        runtime.log.debug({ rpc: name, error: messageOf(error) }, 'rpc failed');
        traced(name, { error });
        callback(grpcError(error));
      },
    );
  };
}

function streaming(runtime: Runtime, name: string, { stream, subscribe }: AnyStream) {
  return (call: ServerWritableStream<unknown, unknown>): void => {
    if (subscribe !== undefined) {
      const subscription = subscribe(runtime, (response) => call.write(response));
      const end = (): void => subscription[Symbol.dispose]();
      call.on('cancelled', end);
      call.on('close', end);
      return;
    }
    sendAll(call, stream?.(runtime, call.request) ?? []).catch((error: unknown) => {
      runtime.log.debug({ rpc: name, error: messageOf(error) }, 'rpc failed');
      call.destroy(Object.assign(new Error(messageOf(error)), grpcError(error)));
    });
  };
}

async function sendAll(
  call: ServerWritableStream<unknown, unknown>,
  responses: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<void> {
  for await (const response of responses) call.write(response);
  call.end();
}

// An error without a status is UNKNOWN, as in containerd.
const grpcError = (error: unknown): { code: status; details: string } => ({
  code: error instanceof CriError ? error.code : status.UNKNOWN,
  details: messageOf(error),
});
