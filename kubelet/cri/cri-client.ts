import { Client, credentials } from '@grpc/grpc-js';
import type { ClientReadableStream, ServiceDefinition } from '@grpc/grpc-js';
import { trace } from '../../linux/trace.ts';
import { criServices } from '../../runtime/cri/protocol.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { criError } from './cri-error.ts';
import { grpcDeadline } from './grpc-deadline.ts';

/** How one call is made: it fails with DEADLINE_EXCEEDED after `timeoutMs`, with CANCELLED when `signal` aborts. */
export interface CallOptions {
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** The kubelet's side of CRI v1. Every call rejects with a CriError. */
export interface CriClient {
  call<Method extends keyof CriMethods>(
    method: Method,
    request: cri.Sent<CriMethods[Method][0]>,
    options?: CallOptions,
  ): Promise<CriMethods[Method][1]>;
  containerEvents(): ClientReadableStream<cri.ContainerEventResponse>;
  close(): void;
}

/** The unary methods that the kubelet uses, with request and response. */
export interface CriMethods {
  Version: [cri.VersionRequest, cri.VersionResponse];
  Status: [cri.StatusRequest, cri.StatusResponse];
  RunPodSandbox: [cri.RunPodSandboxRequest, cri.RunPodSandboxResponse];
  StopPodSandbox: [cri.StopPodSandboxRequest, cri.StopPodSandboxResponse];
  RemovePodSandbox: [cri.RemovePodSandboxRequest, cri.RemovePodSandboxResponse];
  PodSandboxStatus: [cri.PodSandboxStatusRequest, cri.PodSandboxStatusResponse];
  ListPodSandbox: [cri.ListPodSandboxRequest, cri.ListPodSandboxResponse];
  CreateContainer: [cri.CreateContainerRequest, cri.CreateContainerResponse];
  StartContainer: [cri.StartContainerRequest, cri.StartContainerResponse];
  StopContainer: [cri.StopContainerRequest, cri.StopContainerResponse];
  RemoveContainer: [cri.RemoveContainerRequest, cri.RemoveContainerResponse];
  ListContainers: [cri.ListContainersRequest, cri.ListContainersResponse];
  ContainerStatus: [cri.ContainerStatusRequest, cri.ContainerStatusResponse];
  UpdateContainerResources: [cri.UpdateContainerResourcesRequest, cri.UpdateContainerResourcesResponse];
  ReopenContainerLog: [cri.ReopenContainerLogRequest, cri.ReopenContainerLogResponse];
  ExecSync: [cri.ExecSyncRequest, cri.ExecSyncResponse];
  Exec: [cri.ExecRequest, cri.ExecResponse];
  Attach: [cri.AttachRequest, cri.AttachResponse];
  PortForward: [cri.PortForwardRequest, cri.PortForwardResponse];
  ListContainerStats: [cri.ListContainerStatsRequest, cri.ListContainerStatsResponse];
  ListPodSandboxStats: [cri.ListPodSandboxStatsRequest, cri.ListPodSandboxStatsResponse];
  UpdateRuntimeConfig: [cri.UpdateRuntimeConfigRequest, cri.UpdateRuntimeConfigResponse];
  ListImages: [cri.ListImagesRequest, cri.ListImagesResponse];
  ImageStatus: [cri.ImageStatusRequest, cri.ImageStatusResponse];
  PullImage: [cri.PullImageRequest, cri.PullImageResponse];
  RemoveImage: [cri.RemoveImageRequest, cri.RemoveImageResponse];
  ImageFsInfo: [cri.ImageFsInfoRequest, cri.ImageFsInfoResponse];
}

/** A client on the unix socket `socketPath`; it connects by itself and again after the runtime has restarted. */
export function createCriClient({ socketPath }: { socketPath: string }): CriClient {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.enable_channelz': 0,
    // The socket is local: after a restart of the runtime the next call shall not wait for a long back-off.
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 500,
  });
  const services = criServices();
  const definition = (method: string) => methodOf(services, method);
  return {
    call: (method, request, options = {}) => unary({ client, method, definition, request, options }),
    containerEvents() {
      const { path, requestSerialize, responseDeserialize } = definition('GetContainerEvents');
      return client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        {},
      ) as ClientReadableStream<cri.ContainerEventResponse>;
    },
    close: () => client.close(),
  };
}

function methodOf(services: Record<string, ServiceDefinition>, method: string) {
  for (const service of Object.values(services)) {
    const definition = service[method];
    if (definition) return definition;
  }
  throw new Error(`cri.proto has no method ${method}`);
}

interface UnaryCall {
  client: Client;
  method: string;
  definition: (method: string) => ServiceDefinition[string];
  request: object;
  options: CallOptions;
}

const debug = trace('cri-client');

const unary = <Response>({ client, method, definition, request, options }: UnaryCall) =>
  new Promise<Response>((resolve, reject) => {
    const { timeoutMs = 120_000, signal } = options;
    if (signal?.aborted) return reject(criError({ method, code: 1, details: 'cancelled' }));
    const { path, requestSerialize, responseDeserialize } = definition(method);
    const startMs = performance.now();
    const abort = () => call.cancel();
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      { deadline: grpcDeadline(timeoutMs) },
      (error, response) => {
        signal?.removeEventListener('abort', abort);
        debug(method, { ms: Math.round(performance.now() - startMs), code: error?.code ?? 0 });
        if (error) reject(criError({ method, code: error.code, details: error.details }));
        else resolve(response as Response);
      },
    );
    signal?.addEventListener('abort', abort, { once: true });
  });
