import { readdir } from 'node:fs/promises';
import type { Secret } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type * as cri from '../../runtime/cri/types.ts';
import type { KeyedBackOff } from '../back-off.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { EnvironmentVariable } from '../environment/expand-container.ts';
import { NotReadYetError } from '../environment/container-config-error.ts';
import { goDuration } from '../go-duration.ts';
import type { ImageManager, PresentImage } from '../images/ensure-image.ts';
import { containerType } from '../kubelet-counters.ts';
import type { KubeletCounters } from '../kubelet-counters.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { EventType, PodEvents } from '../pod-events.ts';
import { formatPod } from '../pod.ts';
import type { KubeletPod, NamedContainer } from '../pod.ts';
import { containerNamed } from '../runtime-status/runtime-status.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';
import { containerConfig } from './container-config.ts';
import type { PodFolders } from './container-config.ts';
import { killContainer } from './kill-container.ts';
import { hashOf } from './labels.ts';
import { runHook } from './lifecycle-hooks.ts';
import { containerLogFolder } from './log-paths.ts';
import { StartError } from './start-error.ts';

export interface StartContext {
  cri: CriClient;
  clock: Clock;
  events: PodEvents;
  log: KubeletLog;
  images: ImageManager;
  counters: KubeletCounters;
  crashLoop: KeyedBackOff;
  folders: PodFolders;
  clusterDomain: string;
  memoryCapacityBytes: number;
  environmentOf(about: ContainerPlace): Promise<EnvironmentVariable[]>;
  mountsFor(about: ContainerPlace, environment: EnvironmentVariable[]): Promise<cri.Sent<cri.Mount>[]>;
  devicesFor(about: ContainerPlace): cri.Device[];
  volumeGroupsOf(pod: KubeletPod): readonly number[];
  pullSecretsOf: (pod: KubeletPod) => Promise<Secret[]>;
  /** A slow step begins: the Pod's status is to say how far it has come. */
  beforePull: (pod: KubeletPod) => void;
}

/** A container about to start, and what is known of its Pod's addresses. */
export interface ContainerPlace {
  pod: KubeletPod;
  container: NamedContainer['container'];
  podIps: string[];
  /** The Pod is to end: no pull is waited for any more. */
  signal: AbortSignal;
}

export interface StartOptions {
  pod: KubeletPod;
  named: NamedContainer;
  status: PodRuntimeStatus;
  sandboxId: string;
  sandboxConfig: cri.Sent<cri.PodSandboxConfig>;
  podIps: string[];
  /** The Pod is to end: what was begun is left to its termination. */
  signal: AbortSignal;
}

/**
 * Starts a container: image, create, start, postStart hook. Tells each step as an event, and rejects with StartError,
 * whose reason and message the Pod's status shows, or with the signal's reason. Resolves with the container's ID.
 */
export async function startContainer(context: StartContext, options: StartOptions): Promise<string> {
  const { cri, events, counters } = context;
  const { pod, named, sandboxId, sandboxConfig, signal } = options;
  const tell: Tell = (type, reason, message) =>
    events.container({ pod, container: named.container.name }, type, reason, message);
  heedBackOff(context, options, tell);
  counters.startedContainers.inc({ container_type: containerType(named.kind) });
  const image = await imageFor(context, options, tell);
  const config = await configFor(context, options, image).catch((error: unknown) => {
    signal.throwIfAborted();
    // An image volume that can't be pulled: its own reason shows, as that of the container's image does.
    if (error instanceof StartError) {
      tell('Warning', 'Failed', `Error: ${error.reason}`);
      throw error;
    }
    tell('Warning', 'Failed', `Error: ${messageOf(error)}`);
    const retryAtMs = error instanceof NotReadYetError ? context.clock.now() + 1000 : undefined;
    throw new StartError('CreateContainerConfigError', messageOf(error), retryAtMs);
  });
  const { containerId } = await cri
    .call('CreateContainer', { podSandboxId: sandboxId, config, sandboxConfig })
    .catch((error: unknown) => failed(tell, 'CreateContainerError', error));
  tell('Normal', 'Created', 'Container created');
  await cri
    .call('StartContainer', { containerId })
    .catch((error: unknown) => failed(tell, 'RunContainerError', error));
  tell('Normal', 'Started', 'Container started');
  await runPostStart(context, options, containerId);
  return containerId;
}

type Tell = (type: EventType, reason: string, message: string) => void;

function failed(tell: Tell, reason: 'CreateContainerError' | 'RunContainerError', error: unknown): never {
  tell('Warning', 'Failed', `Error: ${messageOf(error)}`);
  throw new StartError(reason, messageOf(error));
}

/** A container that ended a moment ago waits; the longer, the more often it has ended. */
function heedBackOff({ crashLoop }: StartContext, { pod, named, status }: StartOptions, tell: Tell): void {
  const { container } = named;
  const exited = status.containers.find(({ name, state }) => name === container.name && state === 'exited');
  if (!exited) return;
  const finishedMs = exited.finishedAt / 1e6;
  const key = `${pod.metadata.uid}_${container.name}_${hashOf(container)}`;
  if (!crashLoop.isInBackOffSince(key, finishedMs)) return crashLoop.next(key, finishedMs);
  const where = formatPod(pod);
  tell('Warning', 'BackOff', `Back-off restarting failed container ${container.name} in pod ${where}`);
  const backOffMs = crashLoop.get(key);
  throw new StartError(
    'CrashLoopBackOff',
    `back-off ${goDuration(backOffMs)} restarting failed container=${container.name} pod=${where}`,
    finishedMs + backOffMs,
  );
}

async function imageFor(
  { images, pullSecretsOf, beforePull }: StartContext,
  { pod, named, sandboxConfig, status, signal }: StartOptions,
  tell: Tell,
): Promise<PresentImage> {
  const { name, image = '', imagePullPolicy } = named.container;
  // Of a container that has run before the status is known; that it ended to start anew is told when it has, or could not.
  const isFirst = containerNamed(status, name) === undefined;
  return images
    .ensure({
      pod,
      image,
      pullPolicy: imagePullPolicy,
      sandboxConfig,
      pullSecrets: () => pullSecretsOf(pod),
      ...(isFirst && { beforePull: () => beforePull(pod) }),
      tell,
      signal,
    })
    .catch((error: unknown) => {
      if (error instanceof StartError) tell('Warning', 'Failed', `Error: ${error.reason}`);
      throw error;
    });
}

async function configFor(
  context: StartContext,
  options: StartOptions,
  image: PresentImage,
): Promise<cri.Sent<cri.ContainerConfig>> {
  const { pod, named, podIps, status, signal } = options;
  const { container } = named;
  const place = { pod, container, podIps, signal };
  const environment = await context.environmentOf(place);
  const [mounts, restartCount] = await Promise.all([
    context.mountsFor(place, environment),
    nextRestartCount(context.folders.logs, options),
  ]);
  return containerConfig({
    ...place,
    restartCount,
    imageRef: image.ref,
    imageUser: image.user,
    environment,
    mounts,
    devices: context.devicesFor(place),
    volumeGroups: context.volumeGroupsOf(pod),
    targetId: targetIdOf(named, status),
    folders: context.folders,
    clusterDomain: context.clusterDomain,
    memoryCapacityBytes: context.memoryCapacityBytes,
  });
}

/** One more than the newest container's; when the runtime has forgotten all, one more than the newest log. */
async function nextRestartCount(logRoot: string, { pod, named, status }: StartOptions): Promise<number> {
  const { name } = named.container;
  const known = containerNamed(status, name);
  if (known) return known.restartCount + 1;
  const files = await readdir(containerLogFolder(logRoot, pod, name)).catch(() => []);
  const counts = files.flatMap((file) => /^(\d+)\.log/.exec(file)?.[1] ?? []).map(Number);
  return counts.length > 0 ? Math.max(...counts) + 1 : 0;
}

function targetIdOf({ targetContainerName }: NamedContainer, status: PodRuntimeStatus): string | undefined {
  if (!targetContainerName) return undefined;
  const target = containerNamed(status, targetContainerName);
  if (target) return target.id;
  throw new Error(`unable to find target container ${targetContainerName}`);
}

async function runPostStart(
  context: StartContext,
  { pod, named, podIps, signal }: StartOptions,
  containerId: string,
): Promise<void> {
  const { cri, clock, events, log } = context;
  const { container } = named;
  const handler = container.lifecycle?.postStart;
  if (!handler) return;
  const podIp = podIps[0] ?? '';
  try {
    await runHook({ cri, clock, events, pod, container, containerId, podIp, handler, signal });
  } catch (error) {
    // The container ends with its Pod, in the time that this has.
    signal.throwIfAborted();
    log.warn(
      { pod: pod.metadata.name, container: container.name, error: messageOf(error) },
      'postStart hook failed',
    );
    // The message may hold secrets of the server that answered: events do not carry it.
    events.container(
      { pod, container: container.name },
      'Warning',
      'FailedPostStartHook',
      'PostStartHook failed',
    );
    await killContainer(context, {
      pod,
      running: runningStub(container.name, containerId),
      podIp,
      message: 'FailedPostStartHook',
      reason: 'FailedPostStartHook',
      signal,
    });
    throw new StartError('PostStartHookError', messageOf(error));
  }
}

/** All that killing needs of a container that was started a moment ago. */
const runningStub = (name: string, id: string) => ({
  id,
  name,
  state: 'running' as const,
  createdAt: 0,
  startedAt: 0,
  finishedAt: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: '',
  imageRef: '',
  restartCount: 0,
  hash: '',
  logPath: '',
  mounts: [],
  annotations: {},
  labels: {},
});
