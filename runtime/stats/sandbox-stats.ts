import { nowNs } from '../clock.ts';
import { stateOf } from '../containers/record.ts';
import type { PodSandboxStats, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import type { SandboxRecord } from '../sandboxes/record.ts';
import { containersOf } from '../sandboxes/status.ts';
import { cgroupStats, containerStats } from './container-stats.ts';
import { measureEach } from './measure-each.ts';
import { networkStats } from './network-stats.ts';

/** What a sandbox uses as a whole, and each of its running containers. */
export async function sandboxStats(runtime: Runtime, sandbox: SandboxRecord): Promise<Sent<PodSandboxStats>> {
  const { metadata, labels, annotations } = sandbox.config;
  const attributes = { id: sandbox.id, metadata, labels, annotations };
  if (sandbox.state !== 'SANDBOX_READY') return { attributes };
  const own = cgroupStats(runtime, sandbox.cgroupParent);
  if (own === undefined) return { attributes }; // being removed
  const { cpu, memory, processes } = own;
  const running = containersOf(runtime, sandbox.id).filter((one) => stateOf(one) === 'CONTAINER_RUNNING');
  const containers = await measureEach(runtime, running, (container) => containerStats(runtime, container));
  const process = { timestamp: nowNs(), processCount: { value: processes } };
  return { attributes, linux: { cpu, memory, network: networkStats(sandbox), process, containers } };
}
