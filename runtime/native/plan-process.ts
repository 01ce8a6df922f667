import { capabilityMask, defaultCapabilities } from './capabilities.ts';
import type { CapabilitySets, ProcessSpec } from './container-spec.ts';
import { bits, type Plan } from './plan.ts';
import { resourceLimitFields } from './resource-limits.ts';
import { compileSeccomp } from './seccomp.ts';
import type { SeccompProfile } from './seccomp-profile.ts';

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;

/** What is set while the host's /proc is still in sight. */
export function planLimits(plan: Plan, { rlimits = [], oomScoreAdj }: ProcessSpec): void {
  for (const limit of rlimits) plan.tolerate('rlimit', ...resourceLimitFields(limit));
  if (oomScoreAdj !== undefined) plan.tolerate('write', '/proc/self/oom_score_adj', oomScoreAdj);
}

/**
 * The steps from a process inside its namespaces to the command, `exec` among them. Their order is a matter of rights:
 *
 *   keyring         or the command would possess the keys of whoever started the daemon (runc too makes one); as root, whose quota it takes
 *   bounding set    needs SETPCAP, so before the identity changes
 *   chdir           as root, for the user may not be allowed in; where root is not allowed in, as the user (runc's finalizeNamespace)
 *   identity        keeps the permitted set (keep-caps), loses the effective one
 *   effective       again, so that a filter can be loaded without no_new_privs (needs SYS_ADMIN)
 *   death signal    to be killed with the parent; a new identity would take it away
 *   capabilities    the command's own
 *   command         looked up as whom it will run
 *   seccomp         as late as can be, for the filter must allow what comes after: with no_new_privs, which gives everyone the right to
 *                   load one, only execve; without, capabilities and command too, as in runc
 */
export function planProcess(plan: Plan, process: ProcessSpec, { deathSignal = 0 } = {}): void {
  const { args, env, cwd = '/', uid = 0, gid = 0, additionalGids = [], umask = 0o022 } = process;
  const { capabilities = sameEverywhere(defaultCapabilities), noNewPrivileges, seccomp } = process;
  plan.comment('what the command is to be');
  planCommand(plan, { args, env });
  plan.tolerate('keyring');
  plan.step('umask', `0${umask.toString(8)}`);
  if (uid !== 0) plan.step('owner', uid);
  plan.step('bounding', bits(capabilityMask(capabilities.bounding)));
  plan.step('trychdir', cwd);
  plan.step('ids', uid, gid, additionalGids.join(','));
  plan.step('chdir', cwd);
  plan.step('effective');
  if (deathSignal !== 0) plan.step('deathsignal', deathSignal);
  if (noNewPrivileges === true) plan.step('nonewprivs');
  else planFilter(plan, seccomp);
  planCapabilities(plan, capabilities);
  plan.step('command');
  if (noNewPrivileges === true) planFilter(plan, seccomp);
  plan.step('exec');
}

function planFilter(plan: Plan, profile: SeccompProfile | undefined): void {
  if (profile === undefined) return;
  plan.step('seccomp', compileSeccomp(profile).toString('hex'), SECCOMP_FILTER_FLAG_SPEC_ALLOW);
}

function planCommand(plan: Plan, { args, env }: { args: string[]; env: string[] }): void {
  for (const word of args) plan.step('argument', word);
  for (const variable of env) plan.step('environment', variable);
  if (!env.some((variable) => variable.startsWith('PATH='))) plan.step('environment', defaultPath);
}

function planCapabilities(plan: Plan, { effective, permitted, inheritable, ambient }: CapabilitySets): void {
  plan.step(
    'capabilities',
    ...[effective, permitted, inheritable, ambient].map((list) => bits(capabilityMask(list))),
  );
}

const sameEverywhere = (list: string[]): CapabilitySets => ({
  bounding: list,
  effective: list,
  permitted: list,
  inheritable: [],
  ambient: [],
});
