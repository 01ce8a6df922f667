import type { KubeletPod } from '../pod.ts';
import type { Rejection } from './admission.ts';

/**
 * Kernel settings that a Pod may have because they are its own namespace's and touch no other Pod; anything else would be written
 * for the whole host (upstream: pkg/kubelet/sysctl/safe_sysctls.go). Every kernel that Node.js 24 runs on has them all in namespaces.
 */
const SAFE: Record<string, 'IPC' | 'Net'> = {
  'kernel.shm_rmid_forced': 'IPC',
  'net.ipv4.ip_local_port_range': 'Net',
  'net.ipv4.tcp_syncookies': 'Net',
  'net.ipv4.ping_group_range': 'Net',
  'net.ipv4.ip_unprivileged_port_start': 'Net',
  'net.ipv4.ip_local_reserved_ports': 'Net',
  'net.ipv4.tcp_keepalive_time': 'Net',
  'net.ipv4.tcp_fin_timeout': 'Net',
  'net.ipv4.tcp_keepalive_intvl': 'Net',
  'net.ipv4.tcp_keepalive_probes': 'Net',
  'net.ipv4.tcp_rmem': 'Net',
  'net.ipv4.tcp_wmem': 'Net',
};

/** Rejects a Pod that asks for a sysctl which isn't safe, or for one of a namespace that it shares with the host. */
export function forbiddenSysctl({ spec }: KubeletPod): Rejection | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const why = whyForbidden(normalName(name), spec);
    if (why !== undefined) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${why}` };
  }
  return undefined;
}

function whyForbidden(name: string, { hostIPC, hostNetwork }: KubeletPod['spec']): string | undefined {
  const namespace = Object.hasOwn(SAFE, name) ? SAFE[name] : undefined;
  if (namespace === undefined) return `"${name}" not allowlisted`;
  const shared = namespace === 'IPC' ? hostIPC : hostNetwork;
  return shared ? `"${name}" not allowed with host ${namespace} enabled` : undefined;
}

/** Names may be parted by `.` or by `/`, and the other one is then part of a name (sysctl.d(5)). */
function normalName(name: string): string {
  if (/[./]/.exec(name)?.[0] !== '/') return name;
  return name.replaceAll(/[./]/g, (sign) => (sign === '/' ? '.' : '/'));
}
