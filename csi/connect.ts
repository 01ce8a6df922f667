import { getSystemErrorMap } from 'node:util';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { MethodDefinition, ServiceError } from '@grpc/grpc-js';
import { socketAddress } from '../linux/socket-address.ts';
import type { SocketAddress } from '../linux/socket-address.ts';
import { hasCode } from '../linux/system-error.ts';
import { trace } from '../linux/trace.ts';
import { CsiError } from './error.ts';
import type { CodeName } from './error.ts';
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

export interface CallOptions {
  /** The call fails with DEADLINE_EXCEEDED after this time; never by default. */
  timeoutMs?: number | undefined;
  /** Ends the call with CANCELLED; the driver may still finish what it began. */
  signal?: AbortSignal | undefined;
  /** Wait for a driver that does not answer at its socket (within the timeout) in place of UNAVAILABLE. */
  waitForReady?: boolean | undefined;
}

/** A service's RPCs as functions of a request that give a promise of the response, or reject with a CsiError. */
export type Calls<Service> = {
  [Name in keyof Service]: Service[Name] extends { request: infer Request; response: infer Response }
    ? (request: Sent<Request>, options?: CallOptions) => Promise<Response>
    : never;
};

export interface CsiDriver {
  identity: Calls<IdentityService>;
  controller: Calls<ControllerService>;
  groupController: Calls<GroupControllerService>;
  node: Calls<NodeService>;
  close(): void;
}

/**
 * A client of the driver at a unix socket. Connects at the first call; one HTTP/2 connection carries all calls and is made again
 * when the driver comes back. A driver that is not there answers UNAVAILABLE.
 */
export function connectDriver({ socketPath }: { socketPath: string }): CsiDriver {
  const { close, ...connection } = connect(socketPath);
  return {
    identity: callsOf<IdentityService>(connection, 'csi.v1.Identity'),
    controller: callsOf<ControllerService>(connection, 'csi.v1.Controller'),
    groupController: callsOf<GroupControllerService>(connection, 'csi.v1.GroupController'),
    node: callsOf<NodeService>(connection, 'csi.v1.Node'),
    close,
  };
}

export interface RegistrationClient extends Calls<RegistrationService> {
  close(): void;
}

/** A client of a registration socket in the kubelet's plugins_registry/. */
export function connectRegistration({ socketPath }: { socketPath: string }): RegistrationClient {
  const { close, ...connection } = connect(socketPath);
  return {
    ...callsOf<RegistrationService>(connection, 'pluginregistration.Registration'),
    close,
  };
}

interface Connection {
  client: Client;
  socketPath: string;
}

function connect(socketPath: string): Connection & { close: () => void } {
  const address = addressOf(socketPath);
  const client = new Client(`unix://${address.path}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.max_send_message_length': 16 * 1024 * 1024,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 500,
    // grpc-js shares connections by address: without this, closing one client would leave its connection to the next.
    'grpc.use_local_subchannel_pool': 1,
    // The authority of a unix socket is its path otherwise, which Go's HTTP/2 server refuses.
    'grpc.default_authority': 'localhost',
  });
  const close = (): void => {
    client.close();
    address[Symbol.dispose]();
  };
  return { client, socketPath, close };
}

/** Where the directory is missing the path itself will do: nobody answers at it, and the call says so. */
function addressOf(socketPath: string): SocketAddress {
  try {
    return socketAddress(socketPath);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return { path: socketPath, [Symbol.dispose]: () => undefined };
  }
}

function callsOf<Service>(connection: Connection, path: ServicePath): Calls<Service> {
  const calls = Object.entries(serviceDefinition(path)).map(([name, method]) => [
    name.charAt(0).toLowerCase() + name.slice(1),
    (request: object, options: CallOptions = {}) => call(connection, { name, method, request, options }),
  ]);
  return Object.fromEntries(calls) as Calls<Service>;
}

const traced = trace('csi');

interface Call {
  name: string;
  method: MethodDefinition<object, object>;
  request: object;
  options: CallOptions;
}

function call({ client, socketPath }: Connection, { name, method, request, options }: Call): Promise<object> {
  const { timeoutMs, signal, waitForReady } = options;
  const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  const metadata = new Metadata({ waitForReady: waitForReady ?? false });
  const began = performance.now();
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true)
      return reject(new CsiError('CANCELLED', 'context canceled', { method: name }));
    const cancel = () => under.cancel();
    const done = (error: ServiceError | null, response?: object) => {
      signal?.removeEventListener('abort', cancel);
      traced(name, { ms: Math.round(performance.now() - began), ...(error === null ? {} : { error }) });
      if (error !== null || response === undefined) reject(csiError(error, { method: name, socketPath }));
      else resolve(response);
    };
    const { path, requestSerialize, responseDeserialize } = method;
    const under = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      deadline,
      done,
    );
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * grpc-js' error as ours. What a client itself says of a deadline, a cancel or a driver that is not there is said in Go's words: people
 * search for those.
 */
function csiError(
  error: ServiceError | null,
  { method, socketPath }: { method: string; socketPath: string },
): CsiError {
  const codeName = (error === null ? 'UNKNOWN' : status[error.code]) as CodeName;
  const details = error?.details ?? 'no response';
  return new CsiError(codeName, inGoWords(codeName, { details, socketPath }), { method, cause: error });
}

function inGoWords(
  codeName: CodeName,
  { details, socketPath }: { details: string; socketPath: string },
): string {
  if (codeName === 'DEADLINE_EXCEEDED' && details.startsWith('Deadline exceeded'))
    return 'context deadline exceeded';
  if (codeName === 'CANCELLED' && details === 'Cancelled on client') return 'context canceled';
  const [, refusal] = /^No connection established\. Last error: .*?\bconnect (E[A-Z]+)/.exec(details) ?? [];
  if (codeName !== 'UNAVAILABLE' || refusal === undefined) return details;
  const [, words = refusal] = [...getSystemErrorMap().values()].find(([name]) => name === refusal) ?? [];
  return `connection error: desc = "transport: Error while dialing: dial unix ${socketPath}: connect: ${words}"`;
}
