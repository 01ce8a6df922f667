import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { isListening } from '../linux/is-listening.ts';
import { socketAddress } from '../linux/socket-address.ts';
import { trace } from '../linux/trace.ts';
import { CsiError } from './error.ts';
import { serviceDefinition } from './protocol.ts';
import type { ServicePath } from './protocol.ts';
import type {
  ControllerService,
  GroupControllerService,
  IdentityService,
  NodeService,
  RegistrationService,
  Sent,
} from './types.ts';

export interface CallContext {
  /** Aborted when the caller has gone or its deadline is over. */
  signal: AbortSignal;
}

/** A service's RPCs as functions of the request; a CsiError thrown is answered with its code, any other error with INTERNAL. */
export type Handlers<Service> = {
  [Name in keyof Service]?: Service[Name] extends { request: infer Request; response: infer Response }
    ? (request: Request, context: CallContext) => Promise<Sent<Response>> | Sent<Response>
    : never;
};

export interface DriverServices {
  identity?: Handlers<IdentityService>;
  controller?: Handlers<ControllerService>;
  groupController?: Handlers<GroupControllerService>;
  node?: Handlers<NodeService>;
  registration?: Handlers<RegistrationService>;
}

export interface ServeOptions extends DriverServices {
  /** Replaced when nobody answers at it; only root can open it. */
  socketPath: string;
}

const paths: Record<keyof DriverServices, ServicePath> = {
  identity: 'csi.v1.Identity',
  controller: 'csi.v1.Controller',
  groupController: 'csi.v1.GroupController',
  node: 'csi.v1.Node',
  registration: 'pluginregistration.Registration',
};

const stopWithinMs = 5_000;

/**
 * Serves a driver's services on a unix socket; RPCs without a handler are answered UNIMPLEMENTED.
 * `stop()` lets calls under way end (5 s at most), then removes the socket. Throws when another driver answers at the socket.
 */
export async function serveDriver({
  socketPath,
  ...services
}: ServeOptions): Promise<{ stop(): Promise<void> }> {
  mkdirSync(dirname(socketPath), { recursive: true });
  const address = socketAddress(socketPath);
  await refuseLivingServer(socketPath, address.path);
  rmSync(socketPath, { force: true });
  const server = new Server({
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.max_send_message_length': 16 * 1024 * 1024,
  });
  const calls = new Set<Promise<unknown>>();
  for (const [service, handlers] of Object.entries(services) as [keyof DriverServices, AnyHandlers][])
    server.addService(serviceDefinition(paths[service]), implement(handlers, calls));
  await bind(server, socketPath, address.path);
  return {
    async stop() {
      const deadline = AbortSignal.timeout(stopWithinMs);
      const over = new Promise((resolve) => deadline.addEventListener('abort', resolve, { once: true }));
      const ended = Promise.all([Promise.allSettled(calls), shutDown(server)]);
      await Promise.race([ended, over]);
      server.forceShutdown();
      rmSync(socketPath, { force: true });
      address[Symbol.dispose]();
    },
  };
}

type AnyHandler = (request: unknown, context: CallContext) => unknown;
type AnyHandlers = Record<string, AnyHandler>;

async function refuseLivingServer(socketPath: string, address: string): Promise<void> {
  if (await isListening(address))
    throw new Error(`${socketPath}: another driver already serves this socket; stop it first`);
}

async function bind(server: Server, socketPath: string, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${address}`, ServerCredentials.createInsecure(), (error) =>
      error === null
        ? resolve()
        : reject(new Error(`listen on ${socketPath}: ${error.message}`, { cause: error })),
    );
  });
  chmodSync(socketPath, 0o600);
}

/** Takes no more calls, and ends when the last answer has gone out. */
const shutDown = (server: Server): Promise<void> =>
  new Promise((resolve) => server.tryShutdown(() => resolve()));

const traced = trace('csi-driver');

function implement(handlers: AnyHandlers, calls: Set<Promise<unknown>>): UntypedServiceImplementation {
  const entries = Object.entries(handlers).map(([name, handler]) => {
    const serve = (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
      const began = performance.now();
      const aborter = new AbortController();
      call.on('cancelled', () => aborter.abort(new CsiError('CANCELLED', 'context canceled')));
      const running = Promise.try(handler, call.request, { signal: aborter.signal }).then(
        (response) => {
          traced(name, { ms: Math.round(performance.now() - began) });
          callback(null, response ?? {});
        },
        (error: unknown) => {
          traced(name, { ms: Math.round(performance.now() - began), error });
          callback(answerOf(error));
        },
      );
      calls.add(running);
      void running.finally(() => calls.delete(running));
    };
    return [name, serve];
  });
  return Object.fromEntries(entries) as UntypedServiceImplementation;
}

function answerOf(error: unknown): { code: status; details: string } {
  if (error instanceof CsiError) return { code: error.code, details: error.message };
  return { code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) };
}
