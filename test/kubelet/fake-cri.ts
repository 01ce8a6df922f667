import { randomBytes } from 'node:crypto';
import { Server, ServerCredentials, status as codes } from '@grpc/grpc-js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { criServices } from '../../runtime/cri/protocol.ts';
import type * as cri from '../../runtime/cri/types.ts';

/** A container of the fake runtime: its config, and how it is. */
export interface FakeContainer {
  id: string;
  sandboxId: string;
  config: cri.ContainerConfig;
  status: cri.ContainerStatus;
}

/** A CRI runtime in memory: containers run until they are stopped or told to exit. A double for tests of the kubelet. */
export interface FakeCri {
  socketPath: string;
  containers: Map<string, FakeContainer>;
  sandboxes: Map<string, cri.PodSandboxStatus>;
  images: Set<string>;
  calls: { method: string; request: unknown }[];
  /** Replaces a method's answer; returning undefined falls back to the built-in one. */
  intercept(
    method: string,
    answer: (request: Record<string, unknown>) => Promise<object | undefined> | object | undefined,
  ): void;
  /** Ends a running container by itself. */
  exit(name: string, exitCode: number, reason?: string): FakeContainer;
  running(name: string): FakeContainer | undefined;
  stop(): Promise<void>;
}

const id = () => randomBytes(32).toString('hex');
const now = () => Date.now() * 1e6;

export class FakeCriError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Handler = (request: Record<string, never>) => Promise<object> | object;

export async function startFakeCri({ socketPath }: { socketPath: string }): Promise<FakeCri> {
  const containers = new Map<string, FakeContainer>();
  const sandboxes = new Map<string, cri.PodSandboxStatus>();
  const images = new Set(['docker.io/library/busybox:latest', 'busybox:latest']);
  const calls: FakeCri['calls'] = [];
  const interceptors = new Map<string, Parameters<FakeCri['intercept']>[1]>();
  const streams = new Set<ServerWritableStream<object, object>>();
  let addresses = 0;

  const statusesOf = (sandboxId: string) =>
    [...containers.values()].filter((one) => one.sandboxId === sandboxId).map(({ status }) => status);
  const emit = (containerId: string, type: cri.ContainerEventType, sandboxId: string) => {
    const event = {
      containerId,
      containerEventType: type,
      createdAt: now(),
      podSandboxStatus: sandboxes.get(sandboxId) ?? null,
      containersStatuses: statusesOf(sandboxId),
    };
    for (const stream of streams) stream.write(event);
  };
  const containerOf = (containerId: string) => {
    const found = containers.get(containerId);
    if (!found) throw new FakeCriError(codes.NOT_FOUND, `no such container ${containerId}`);
    return found;
  };
  const end = (container: FakeContainer, exitCode: number, reason: string) => {
    Object.assign(container.status, {
      state: 'CONTAINER_EXITED',
      exitCode,
      reason,
      finishedAt: now(),
    });
    emit(container.id, 'CONTAINER_STOPPED_EVENT', container.sandboxId);
  };
  const fits = (labels: Record<string, string>, filter: { labelSelector?: Record<string, string> } | null) =>
    Object.entries(filter?.labelSelector ?? {}).every(([key, value]) => labels[key] === value);

  const handlers: Record<string, Handler> = {
    Version: () => ({
      version: '0.1.0',
      runtimeName: 'podwright',
      runtimeVersion: '0.1.0',
      runtimeApiVersion: 'v1',
    }),
    Status: () => ({
      status: {
        conditions: [
          { type: 'RuntimeReady', status: true },
          { type: 'NetworkReady', status: true },
        ],
      },
    }),
    RunPodSandbox: ({ config }: { config: cri.PodSandboxConfig }) => {
      const podSandboxId = id();
      const options = config.linux?.securityContext?.namespaceOptions ?? null;
      addresses += 1;
      sandboxes.set(podSandboxId, {
        id: podSandboxId,
        metadata: config.metadata,
        state: 'SANDBOX_READY',
        createdAt: now(),
        network: { ip: options?.network === 'NODE' ? '' : `10.1.0.${addresses}`, additionalIps: [] },
        linux: { namespaces: { options } },
        labels: config.labels,
        annotations: config.annotations,
        runtimeHandler: '',
      });
      emit(podSandboxId, 'CONTAINER_STARTED_EVENT', podSandboxId);
      return { podSandboxId };
    },
    StopPodSandbox: ({ podSandboxId }: { podSandboxId: string }) => {
      const sandbox = sandboxes.get(podSandboxId);
      if (!sandbox) return {};
      sandbox.state = 'SANDBOX_NOTREADY';
      for (const container of containers.values()) {
        if (container.sandboxId === podSandboxId && container.status.state === 'CONTAINER_RUNNING') {
          end(container, 137, 'Error');
        }
      }
      emit(podSandboxId, 'CONTAINER_STOPPED_EVENT', podSandboxId);
      return {};
    },
    RemovePodSandbox: ({ podSandboxId }: { podSandboxId: string }) => {
      const sandbox = sandboxes.get(podSandboxId);
      sandboxes.delete(podSandboxId);
      for (const container of containers.values()) {
        if (container.sandboxId === podSandboxId) containers.delete(container.id);
      }
      if (sandbox) emit(podSandboxId, 'CONTAINER_DELETED_EVENT', podSandboxId);
      return {};
    },
    PodSandboxStatus: ({ podSandboxId }: { podSandboxId: string }) => {
      const status = sandboxes.get(podSandboxId);
      if (!status) throw new FakeCriError(codes.NOT_FOUND, `no such sandbox ${podSandboxId}`);
      return { status };
    },
    ListPodSandbox: ({ filter }: { filter: cri.PodSandboxFilter | null }) => ({
      items: [...sandboxes.values()].filter(({ labels }) => fits(labels, filter)),
    }),
    CreateContainer: ({ podSandboxId, config }: { podSandboxId: string; config: cri.ContainerConfig }) => {
      const containerId = id();
      const status = {
        id: containerId,
        metadata: config.metadata,
        state: 'CONTAINER_CREATED',
        createdAt: now(),
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        image: config.image,
        imageRef: config.image?.image ?? '',
        imageId: config.image?.image ?? '',
        reason: '',
        message: '',
        labels: config.labels,
        annotations: config.annotations,
        mounts: config.mounts,
        logPath: `/nowhere/${config.logPath}`,
        resources: null,
        user: null,
        stopSignal: 'RUNTIME_DEFAULT',
      } as unknown as cri.ContainerStatus;
      containers.set(containerId, { id: containerId, sandboxId: podSandboxId, config, status });
      emit(containerId, 'CONTAINER_CREATED_EVENT', podSandboxId);
      return { containerId };
    },
    StartContainer: ({ containerId }: { containerId: string }) => {
      const container = containerOf(containerId);
      Object.assign(container.status, { state: 'CONTAINER_RUNNING', startedAt: now() });
      emit(containerId, 'CONTAINER_STARTED_EVENT', container.sandboxId);
      return {};
    },
    StopContainer: ({ containerId }: { containerId: string }) => {
      const container = containerOf(containerId);
      if (container.status.state === 'CONTAINER_RUNNING') end(container, 143, 'Error');
      return {};
    },
    RemoveContainer: ({ containerId }: { containerId: string }) => {
      const container = containers.get(containerId);
      containers.delete(containerId);
      if (container) emit(containerId, 'CONTAINER_DELETED_EVENT', container.sandboxId);
      return {};
    },
    ListContainers: ({ filter }: { filter: cri.ContainerFilter | null }) => ({
      containers: [...containers.values()]
        .filter(({ sandboxId, config }) => {
          if (filter?.podSandboxId && filter.podSandboxId !== sandboxId) return false;
          return fits(config.labels, filter);
        })
        .map(({ id: containerId, sandboxId, status }) => ({
          ...status,
          id: containerId,
          podSandboxId: sandboxId,
        })),
    }),
    ContainerStatus: ({ containerId }: { containerId: string }) => ({
      status: containerOf(containerId).status,
    }),
    ExecSync: () => ({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0 }),
    ReopenContainerLog: () => ({}),
    ListImages: () => ({
      images: [...images].map((image) => ({ id: `sha256:${image}`, repoTags: [image], size: 1000 })),
    }),
    ImageStatus: ({ image }: { image: cri.ImageSpec }) => ({
      image: images.has(image.image.replace(/^sha256:/, ''))
        ? {
            id: `sha256:${image.image.replace(/^sha256:/, '')}`,
            repoTags: [image.image],
            size: 1000,
            uid: { value: 0 },
          }
        : null,
    }),
    PullImage: ({ image }: { image: cri.ImageSpec }) => {
      images.add(image.image);
      return { imageRef: `sha256:${image.image}` };
    },
    ListContainerStats: () => ({ stats: [] }),
    ListPodSandboxStats: () => ({ stats: [] }),
    ImageFsInfo: () => ({ imageFilesystems: [] }),
  } as unknown as Record<string, Handler>;

  const server = new Server();
  for (const service of Object.values(criServices())) {
    server.addService(
      service,
      Object.fromEntries(
        Object.keys(service).map((method) => {
          if (method === 'GetContainerEvents') {
            return [
              method,
              (stream: ServerWritableStream<object, object>) => {
                streams.add(stream);
                stream
                  .on('close', () => streams.delete(stream))
                  .on('cancelled', () => streams.delete(stream));
              },
            ];
          }
          return [
            method,
            (
              { request }: { request: Record<string, never> },
              callback: (error: object | null, response?: object) => void,
            ) => {
              const answer = async () => {
                calls.push({ method, request });
                const intercepted = await interceptors.get(method)?.(request);
                if (intercepted) return intercepted;
                const handler = handlers[method];
                if (!handler) throw new FakeCriError(codes.UNIMPLEMENTED, method);
                return handler(request);
              };
              answer().then(
                (response) => callback(null, response),
                (error: FakeCriError) =>
                  callback({ code: error.code ?? codes.UNKNOWN, details: error.message }),
              );
            },
          ];
        }),
      ),
    );
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  const running = (name: string) =>
    [...containers.values()].find(
      ({ config, status }) => config.metadata?.name === name && status.state === 'CONTAINER_RUNNING',
    );
  return {
    socketPath,
    containers,
    sandboxes,
    images,
    calls,
    intercept: (method, answer) => interceptors.set(method, answer),
    running,
    exit(name, exitCode, reason = exitCode === 0 ? 'Completed' : 'Error') {
      const container = running(name);
      if (!container) throw new Error(`no running container ${name}`);
      end(container, exitCode, reason);
      return container;
    },
    async stop() {
      for (const stream of streams) stream.end();
      server.forceShutdown();
    },
  };
}
