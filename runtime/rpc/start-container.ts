import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { cgroupFacts } from '../containers/container-cgroup.ts';
import { containerSpec } from '../containers/container-spec.ts';
import { expectEnd, watchContainer } from '../containers/exit-watch.ts';
import type { ContainerRecord, ContainerStart } from '../containers/record.ts';
import { stateOf } from '../containers/record.ts';
import { getContainer } from '../containers/status.ts';
import { nowNs } from '../clock.ts';
import type { StartContainerRequest, StartContainerResponse } from '../cri/types.ts';
import { CriError, messageOf } from '../errors.ts';
import { startContainer as launch } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import type { SandboxRecord } from '../sandboxes/record.ts';
import { getReadySandbox, publishSandboxEvent } from '../sandboxes/status.ts';

/**
 * Starts a created container. When the kernel or the command refuses, the container has ended with exit code 128, reason
 * StartError and the error's words, and the words are the answer too (containerd's container_start.go).
 */
export async function startContainer(
  runtime: Runtime,
  { containerId }: StartContainerRequest,
): Promise<StartContainerResponse> {
  const container = getContainer(runtime, containerId);
  const { id } = container;
  refuseUnlessCreated(runtime, container);
  runtime.busy.starting.add(id);
  try {
    const sandbox = getReadySandbox(runtime, container.sandboxId);
    const start = await launchContainer(runtime, container, sandbox);
    expectEnd(runtime, id);
    await runtime.containers.update(id, { start }, { durable: false });
    publishSandboxEvent(runtime, sandbox.id, 'CONTAINER_STARTED_EVENT', { containerId: id });
    watchContainer(runtime, id, start);
  } catch (error) {
    const message = messageOf(error);
    await runtime.containers.update(id, {
      exit: { exitCode: 128, reason: 'StartError', message, finishedAtNs: nowNs() },
    });
    throw error instanceof CriError ? error : new CriError('UNKNOWN', message, { cause: error });
  } finally {
    runtime.busy.starting.delete(id);
  }
  return {};
}

function refuseUnlessCreated(runtime: Runtime, container: ContainerRecord): void {
  const refuse = (why: string): never => {
    throw new CriError(
      'UNKNOWN',
      `failed to set starting state for container ${JSON.stringify(container.id)}: ${why}`,
    );
  };
  const state = stateOf(container);
  if (state !== 'CONTAINER_CREATED') refuse(`container is in ${state} state`);
  if (runtime.busy.removing.has(container.id)) refuse("container is in removing state, can't be started");
  if (runtime.busy.starting.has(container.id)) refuse('container is already in starting state');
}

async function launchContainer(
  runtime: Runtime,
  container: ContainerRecord,
  sandbox: SandboxRecord,
): Promise<ContainerStart> {
  const spec = containerSpec(runtime, container, sandbox);
  if (container.logPath !== null) mkdirSync(dirname(container.logPath), { recursive: true, mode: 0o755 });
  const { pid, startTime, shim, startedAtNs, warnings } = await launch({
    ...spec,
    cgroup: cgroupFacts(runtime, container),
  });
  runtime.warn({ container: container.id }, warnings);
  return { pid, startTime, shim, startedAtNs: Number(startedAtNs) };
}
