import type { ExecSpec } from './container-spec.ts';
import { planEntrance, planTargetCgroup } from './plan-cgroup.ts';
import { planLimits, planProcess } from './plan-process.ts';
import { bits, createPlan, namespaceBits, type Plan } from './plan.ts';

const SIGKILL = 9;

/** The plan of a command in a running container: its cgroup, all its namespaces at once, then as any process. */
export function planExec({ target, process, cgroup }: ExecSpec): Plan {
  const plan = createPlan();
  plan.comment(`a command in the container of process ${target.pid}`);
  planEntrance(plan, cgroup);
  // Before `enter`, after which the host's /proc is out of sight.
  planTargetCgroup(plan, target.pid, cgroup);
  if (process.tty === true) plan.step('tty');
  planLimits(plan, process);
  const all = Object.values(namespaceBits).reduce((sum, bit) => sum | bit, 0);
  // Within the container's cgroup namespace no process of outside may be put into its cgroup (cgroups(7), nsdelegate).
  plan.step('enter', target.pid, target.startTime, bits(all & ~namespaceBits.cgroup));
  plan.step('fork', 0);
  plan.step('enteralso', bits(namespaceBits.cgroup));
  // Not in the daemon's process group, which `kill 0` of a command would end, from within any pid namespace (kill(2)).
  plan.step(process.tty === true ? 'terminal' : 'session');
  // Killing the one whom the daemon knows kills the command.
  planProcess(plan, process, { deathSignal: SIGKILL });
  return plan;
}
