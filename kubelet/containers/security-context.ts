import { join } from 'node:path';
import type { Capabilities, Container, SeccompProfile, SecurityContext } from '../../api/types.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { formatPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { namespaceOptions } from '../sandbox/sandbox-config.ts';

/** The user that an image wants: a number, or a name that only the image's own /etc/passwd can resolve. */
export interface ImageUser {
  uid?: number;
  username?: string;
}

export interface SecurityContextOptions {
  pod: KubeletPod;
  container: Container;
  imageUser: ImageUser;
  /** ID of the container whose process namespace is joined (ephemeral containers). */
  targetId?: string | undefined;
  /** Of the Pod's volumes. */
  volumeGroups?: readonly number[];
  folders: { seccomp: string };
}

/** The container's security context over the Pod's, as CRI wants it. */
export function linuxSecurityContext(
  options: SecurityContextOptions,
): cri.Sent<cri.LinuxContainerSecurityContext> {
  const { pod, container, imageUser, volumeGroups = [], folders } = options;
  const effective = effectiveSecurityContext(pod, container);
  const podContext = pod.spec.securityContext ?? {};
  return {
    privileged: effective.privileged ?? false,
    readonlyRootfs: effective.readOnlyRootFilesystem ?? false,
    ...(effective.capabilities ? { capabilities: capabilitiesOf(effective.capabilities) } : {}),
    ...userOf(effective, imageUser),
    ...(effective.runAsGroup === undefined ? {} : { runAsGroup: { value: effective.runAsGroup } }),
    supplementalGroups: [
      ...(podContext.fsGroup === undefined ? [] : [podContext.fsGroup]),
      ...(podContext.supplementalGroups ?? []),
      ...volumeGroups,
    ],
    supplementalGroupsPolicy: (podContext.supplementalGroupsPolicy ??
      'Merge') as cri.SupplementalGroupsPolicy,
    noNewPrivs: noNewPrivileges(effective),
    seccomp: seccompOf(effective.seccompProfile, folders.seccomp),
    namespaceOptions: containerNamespaces(options),
    maskedPaths: effective.procMount === 'Unmasked' ? [] : maskedPaths,
    readonlyPaths: effective.procMount === 'Unmasked' ? [] : readonlyPaths,
  };
}

/** What is hidden in, or read-only below, a container's /proc and /sys (upstream: securitycontext.DefaultMaskedPaths). */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The Pod's values where the container has none. */
function effectiveSecurityContext(
  { spec }: KubeletPod,
  { securityContext = {} }: Container,
): SecurityContext {
  const { runAsUser, runAsGroup, runAsNonRoot, seccompProfile, seLinuxOptions, appArmorProfile } =
    spec.securityContext ?? {};
  const fromPod = { runAsUser, runAsGroup, runAsNonRoot, seccompProfile, seLinuxOptions, appArmorProfile };
  const set = Object.fromEntries(Object.entries(fromPod).filter(([, value]) => value !== undefined));
  return { ...set, ...securityContext };
}

const capabilitiesOf = ({ add, drop }: Capabilities): cri.Sent<cri.Capability> => ({
  addCapabilities: add ?? [],
  dropCapabilities: drop ?? [],
});

function userOf({ runAsUser }: SecurityContext, { uid, username }: ImageUser) {
  if (runAsUser !== undefined) return { runAsUser: { value: runAsUser } };
  if (username) return { runAsUsername: username };
  return uid === undefined ? {} : { runAsUser: { value: uid } };
}

const noNewPrivileges = ({ allowPrivilegeEscalation }: SecurityContext): boolean =>
  allowPrivilegeEscalation === false;

/** Without a profile a container is unconfined, as upstream's without --seccomp-default. */
function seccompOf(profile: SeccompProfile | undefined, root: string): cri.Sent<cri.SecurityProfile> {
  if (profile?.type === 'RuntimeDefault') return { profileType: 'RuntimeDefault' };
  if (profile?.type === 'Localhost') {
    return { profileType: 'Localhost', localhostRef: join(root, profile.localhostProfile ?? '') };
  }
  return { profileType: 'Unconfined' };
}

function containerNamespaces({ pod, targetId }: SecurityContextOptions) {
  const options = namespaceOptions(pod);
  if (!targetId || options.pid !== 'CONTAINER') return options;
  return { ...options, pid: 'TARGET' as const, targetId };
}

/** Throws when the container must not run as root and would (upstream: verifyRunAsNonRoot). */
export function verifyRunAsNonRoot({
  pod,
  container,
  imageUser,
}: Pick<SecurityContextOptions, 'pod' | 'container' | 'imageUser'>): void {
  const { runAsNonRoot, runAsUser } = effectiveSecurityContext(pod, container);
  if (!runAsNonRoot) return;
  const where = `(pod: "${formatPod(pod)}", container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser !== 0) return;
    throw new Error(`container's runAsUser breaks non-root policy ${where}`);
  }
  if (imageUser.username) {
    throw new Error(
      `container has runAsNonRoot and image has non-numeric user (${imageUser.username}), cannot verify user is non-root ${where}`,
    );
  }
  if ((imageUser.uid ?? 0) === 0) {
    throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
  }
}
