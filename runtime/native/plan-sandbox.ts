import { join } from 'node:path';
import type { SandboxSpec } from './container-spec.ts';
import { planEntrance } from './plan-cgroup.ts';
import { bits, createPlan, mountBits, namespaceBits, type Plan } from './plan.ts';
import { newNamespaceBits, planJoin } from './plan-namespaces.ts';
import { planLimits, planProcess } from './plan-process.ts';
import { pauseProgram } from './programs.ts';

const nobody = { uid: 65535, gid: 65535 };
const nothing = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };

/**
 * The plan of a sandbox: a process in new namespaces that becomes pause. It has a root of its own with nothing in it but pause,
 * because a container that shares its pid namespace could reach the host's files by /proc/1/root.
 */
export function planSandbox(spec: SandboxSpec): Plan {
  const plan = createPlan();
  const { namespaces, stateDir, user = nobody, oomScoreAdj = -998 } = spec;
  plan.comment(`sandbox ${spec.id}${spec.label === undefined ? '' : ` of ${spec.label}`}`);
  planEntrance(plan, spec.cgroup);
  planJoin(plan, namespaces);
  plan.step('fork', bits(newNamespaceBits(namespaces) | namespaceBits.mount));
  plan.step('session');
  if (spec.hostname !== undefined && namespaces.uts === 'new') plan.step('hostname', spec.hostname);
  for (const [name, value] of Object.entries(spec.sysctls ?? {})) plan.step('write', sysctlPath(name), value);
  const args = ['/pause', ...(spec.label === undefined ? [] : [spec.label])];
  const process = { args, env: [], ...user, oomScoreAdj, capabilities: nothing, noNewPrivileges: true };
  planLimits(plan, process);
  planRoot(plan, join(stateDir, 'root'));
  planProcess(plan, process);
  return plan;
}

function planRoot(plan: Plan, root: string): void {
  plan.comment('a root directory with pause in it');
  plan.step('take', 0, pauseProgram(), 0);
  plan.step('propagation', bits(mountBits.slave | mountBits.recursive));
  plan.step(
    'mount',
    'pause',
    root,
    'tmpfs',
    bits(mountBits.noDevices | mountBits.noSuid),
    'size=4k,nr_inodes=4,mode=755',
  );
  plan.step('root', root);
  plan.step('put', 0, '/pause');
  plan.step('attributesin', '/', bits(mountBits.readOnly), 0, 0, 1);
  plan.step('pivot');
}

// `/` instead of `.` as separator where a name has a dot of its own (sysctl.d(5)).
function sysctlPath(name: string): string {
  const path = name.includes('/') ? name : name.replaceAll('.', '/');
  return join('/proc/sys', join('/', path));
}
