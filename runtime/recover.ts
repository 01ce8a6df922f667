import { isAlive } from '../linux/process.ts';
import { watchContainer } from './containers/exit-watch.ts';
import type { ContainerRecord } from './containers/record.ts';
import { stateOf } from './containers/record.ts';
import { nowNs } from './clock.ts';
import { messageOf } from './errors.ts';
import { readContainerState, settleStart, wasStartBegun } from './native/index.ts';
import type { Runtime } from './runtime.ts';
import { watchPause } from './sandboxes/pause-watch.ts';

/**
 * Takes up again, after a restart of the daemon, what goes on without it: sandboxes whose pause lives and containers whose shim
 * lives. What has ended meanwhile is recorded with the exit code that the shim kept. Nothing is restarted.
 *
 *     record says      the shim says           becomes
 *     CREATED          nothing                 CREATED
 *     CREATED, RUNNING machine was restarted   EXITED    (255, Unknown)
 *     CREATED          running                 RUNNING   (killed between starting and recording it)
 *     CREATED          a plan, no more         what comes of it within ten seconds: RUNNING, or EXITED (128, StartError)
 *     RUNNING          running, no exit        RUNNING   (watched on)
 *     RUNNING          exit record             EXITED    (with its exit code)
 *     RUNNING          shim gone, no record    EXITED    (255, Unknown)
 *
 * None of it has to be on the disk, which may be full: the next start would find it out again.
 */
export async function recover(runtime: Runtime): Promise<void> {
  await Promise.all(runtime.sandboxes.list().map(({ id }) => recoverSandbox(runtime, id)));
  await Promise.all(runtime.containers.list().map((container) => recoverContainer(runtime, container)));
  await releaseUnknown(runtime);
}

// A sandbox that was being made when the daemon was killed stays not ready; the kubelet stops and removes it.
async function recoverSandbox(runtime: Runtime, id: string): Promise<void> {
  const sandbox = runtime.sandboxes.find(id);
  if (sandbox?.state !== 'SANDBOX_READY') return;
  if (sandbox.pause !== null && isAlive(sandbox.pause)) watchPause(runtime, id, sandbox.pause);
  else await runtime.sandboxes.update(id, { state: 'SANDBOX_NOTREADY' }, { durable: false });
}

async function recoverContainer(runtime: Runtime, container: ContainerRecord): Promise<void> {
  if (stateOf(container) === 'CONTAINER_EXITED') return;
  const stateDir = runtime.containers.volatileDirectoryOf(container.id);
  if (container.start === null && wasStartBegun(stateDir)) await settleStart({ id: container.id, stateDir });
  const { started } = readContainerState(stateDir);
  if (started === undefined) {
    if (container.start !== null || runtime.containers.isFromBeforeReboot(container.id))
      await lost(runtime, container.id);
    else if (wasStartBegun(stateDir)) await startFailed(runtime, container);
    return;
  }
  const start = { ...started, startedAtNs: Number(started.startedAtNs) };
  if (container.start === null) await runtime.containers.update(container.id, { start }, { durable: false });
  watchContainer(runtime, container.id, start);
}

// Whoever asked for the start got no answer; left as created, it could run unknown to everybody. What cannot be killed (it waits
// in the kernel, for a disk that does not answer) keeps nothing else from being taken up; the removal of the container tries again.
async function startFailed(runtime: Runtime, { id, cgroupPath }: ContainerRecord): Promise<void> {
  await runtime.cgroups.killAll(cgroupPath).catch((error: unknown) => {
    runtime.log.error({ container: id, error: messageOf(error) }, 'failed start not killed');
  });
  const message = 'the runtime was killed while it started the container';
  const exit = { exitCode: 128, reason: 'StartError' as const, message, finishedAtNs: nowNs() };
  await runtime.containers.update(id, { exit }, { durable: false });
}

async function lost(runtime: Runtime, id: string): Promise<void> {
  const exit = { exitCode: 255, reason: 'Unknown' as const, message: '', finishedAtNs: nowNs() };
  await runtime.containers.update(id, { exit }, { durable: false });
}

// Addresses of sandboxes whose record is gone: the power went before it was on the disk.
async function releaseUnknown(runtime: Runtime): Promise<void> {
  const unknown = runtime.network.attached().filter((id) => runtime.sandboxes.find(id)?.id !== id);
  for (const id of unknown) {
    await runtime.network.remove({ id, netnsPath: null }).catch((error: unknown) => {
      runtime.log.warn(
        { sandbox: id, error: messageOf(error) },
        'network of an unknown sandbox not released',
      );
    });
  }
}
