import { signalProcess, waitForExit } from '../../linux/process.ts';
import { stopRunningContainer } from '../containers/stop-container.ts';
import type { Runtime } from '../runtime.ts';
import type { SandboxRecord } from './record.ts';
import { namespacesOf } from './record.ts';
import { removeSandboxMounts } from './sandbox-files.ts';
import { containersOf } from './status.ts';

/**
 * Ends what runs in a sandbox and gives back its network, namespaces, shared memory and cgroup. Each step finds out by
 * itself whether it is done, so that this can be called again after it failed half way: CRI asks StopPodSandbox to be
 * idempotent and to be called more than once.
 */
export async function releaseSandbox(runtime: Runtime, id: string): Promise<void> {
  const sandbox = runtime.sandboxes.find(id);
  if (sandbox === undefined) return;
  await Promise.all(
    containersOf(runtime, id).map((container) => stopRunningContainer(runtime, container, { graceMs: 0 })),
  );
  await releaseNetwork(runtime, sandbox);
  await endPause(runtime, sandbox);
  removeSandboxMounts(runtime, id);
  await runtime.cgroups.removeCgroup(cgroupToRemove(sandbox));
  await runtime.sandboxes.update(id, { state: 'SANDBOX_NOTREADY', netnsPath: null }, { durable: false });
}

// A parent that nobody gave is the sandbox's own and goes with it.
const cgroupToRemove = ({ id, cgroupParent, config }: SandboxRecord): string =>
  config.linux?.cgroupParent ? `${cgroupParent}/${id}` : cgroupParent;

// The network goes before pause, whose namespace the plugins must still find. What was attached is kept on the disk by cni.ts, so
// that addresses are given back after a power cut too, when nothing else of the sandbox is left.
async function releaseNetwork(runtime: Runtime, sandbox: SandboxRecord): Promise<void> {
  if (namespacesOf(sandbox.config).network === 'NODE') return;
  await runtime.network.remove(sandbox);
}

async function endPause(runtime: Runtime, { pause }: SandboxRecord): Promise<void> {
  if (pause === null || !signalProcess(pause, 'SIGKILL')) return;
  await waitForExit(pause, { signal: runtime.stopped });
}
