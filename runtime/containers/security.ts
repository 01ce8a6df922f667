import { readFileSync } from 'node:fs';
import type { ContainerConfig, LinuxContainerSecurityContext, SecurityProfile } from '../cri/types.ts';
import { CriError, messageOf } from '../errors.ts';
import { capabilitySets } from '../native/index.ts';
import type { CapabilitySets } from '../native/index.ts';
import { runtimeDefaultProfile } from '../native/seccomp-default.ts';
import { parseSeccompProfile } from '../native/seccomp-profile.ts';
import type { SeccompProfile } from '../native/seccomp-profile.ts';
import { securityOf } from './status.ts';

/** What the kernel is told about a container's rights. */
export interface ProcessRights {
  capabilities: CapabilitySets;
  noNewPrivileges: boolean;
  seccomp?: SeccompProfile;
}

/**
 * Capabilities, no_new_privs and the system call filter of a container, as its security context has them. A privileged
 * container has all capabilities and no filter. A context without a seccomp profile means none, as for containerd.
 */
export function rightsOf(config: ContainerConfig): ProcessRights {
  const security = securityOf(config);
  const privileged = security?.privileged ?? false;
  const add = security?.capabilities?.addCapabilities ?? [];
  const drop = security?.capabilities?.dropCapabilities ?? [];
  const capabilities = capabilitySets({ add, drop, privileged });
  const seccomp = privileged ? undefined : seccompProfile(seccompOf(security), capabilities.bounding);
  const noNewPrivileges = security?.noNewPrivs ?? false;
  return { capabilities, noNewPrivileges, ...(seccomp === undefined ? {} : { seccomp }) };
}

const seccompOf = (security: LinuxContainerSecurityContext | null): SecurityProfile =>
  security?.seccomp ?? { profileType: 'Unconfined', localhostRef: '' };

function seccompProfile(profile: SecurityProfile, capabilities: string[]): SeccompProfile | undefined {
  if (profile.profileType === 'Unconfined') return undefined;
  if (profile.profileType === 'RuntimeDefault') return runtimeDefaultProfile({ capabilities });
  const path = profile.localhostRef.replace(/^localhost\//, '');
  try {
    return parseSeccompProfile(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CriError(
      'UNKNOWN',
      `failed to generate seccomp spec opts: cannot load seccomp profile ${JSON.stringify(path)}: ${messageOf(error)}`,
    );
  }
}
