import type { ContainerSpec } from './container-spec.ts';
import { planShimEntrance, planTasks, planUnified } from './plan-cgroup.ts';
import { planDevices } from './plan-devices.ts';
import { planMounts, planSources } from './plan-mounts.ts';
import { mayLowerOomScore } from './capabilities.ts';
import { newNamespaceBits, planJoin } from './plan-namespaces.ts';
import { planLimits, planProcess } from './plan-process.ts';
import { planRootFileSystem, planSealing } from './plan-root.ts';
import { bits, createPlan, mountBits, namespaceBits, type Plan } from './plan.ts';

/**
 * The plan of a container. The lines before `fork` are the shim's own; those after it the child's, in this order:
 *
 *   cgroups, namespaces → bind sources taken from the host → propagation cut → overlay root → its mounts and devices
 *   → terminal → masked and read-only paths → pivot_root → limits, identity, rights → exec
 */
export function planContainer(spec: ContainerSpec): Plan {
  const plan = createPlan();
  plan.comment(`container ${spec.id}${spec.label === undefined ? '' : ` of ${spec.label}`}`);
  planShim(plan, spec);
  const { cgroup = 'new', ...namespaces } = spec.namespaces;
  planJoin(plan, { pid: namespaces.pid });
  planUnified(plan, spec.cgroup?.entrance);
  plan.step('fork', bits(newNamespaceBits(namespaces) | namespaceBits.mount));
  planTasks(plan, spec.cgroup?.entrance);
  planJoin(plan, { network: namespaces.network, ipc: namespaces.ipc, uts: namespaces.uts, cgroup });
  planSources(plan, spec);
  if (cgroup === 'new') plan.step('unshare', bits(namespaceBits.cgroup));
  plan.step('propagation', bits(mountBits.slave | mountBits.recursive));
  // The shim's own score is not the container's.
  planLimits(plan, { oomScoreAdj: 0, ...spec.process });
  planRootFileSystem(plan, spec);
  planDevices(plan, spec);
  planMounts(plan, spec);
  plan.step('mkdirin', spec.process.cwd ?? '/');
  plan.step(spec.process.tty === true ? 'terminal' : 'session');
  planSealing(plan, spec);
  plan.step('pivot');
  planProcess(plan, spec.process);
  return plan;
}

/** As the kubelet's for pause: without its shim a container's exit code and output are lost. */
const shimOomScoreAdj = -998;

function planShim(plan: Plan, spec: ContainerSpec): void {
  planShimEntrance(plan, spec.shimCgroup);
  if (mayLowerOomScore()) plan.tolerate('write', '/proc/self/oom_score_adj', shimOomScoreAdj);
  if (spec.logPath !== undefined) plan.step('log', spec.logPath);
  if (spec.process.tty === true) plan.step('tty');
  if (spec.stdin === true) plan.step('stdin');
  if (spec.stdinOnce === true) plan.step('stdinonce');
  if (spec.cgroup?.oomFile !== undefined) plan.step('oomfile', spec.cgroup.oomFile);
  const processesFile = spec.cgroup?.processesFile;
  // With a pid namespace of its own the kernel kills all of the container together with its first process.
  if (spec.namespaces.pid !== 'new' && processesFile !== undefined) plan.step('killfile', processesFile);
}
