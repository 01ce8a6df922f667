import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { mount, unmount } from '../../linux/mount.ts';
import type { DNSConfig, PodSandboxConfig } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { namespacesOf } from './record.ts';

/** Where a sandbox keeps what its containers share: in memory. */
export interface SandboxPaths {
  resolvConf: string;
  hostname: string;
  hosts: string;
  /** A tmpfs; the host's own with hostIPC. */
  shm: string;
  netns: string;
}

export function sandboxPaths(runtime: Runtime, id: string, config: PodSandboxConfig): SandboxPaths {
  const directory = runtime.sandboxes.volatileDirectoryOf(id);
  return {
    resolvConf: join(directory, 'resolv.conf'),
    hostname: join(directory, 'hostname'),
    hosts: join(directory, 'hosts'),
    shm: namespacesOf(config).ipc === 'NODE' ? '/dev/shm' : join(directory, 'shm'),
    netns: join(directory, 'netns'),
  };
}

/** The name that the sandbox's processes see. */
export const hostnameOf = (config: PodSandboxConfig): string => config.hostname || hostname();

/** Writes resolv.conf, hostname and hosts, and mounts the shared memory. */
export function makeSandboxFiles(paths: SandboxPaths, config: PodSandboxConfig): void {
  writeFileSync(paths.hostname, `${hostnameOf(config)}\n`, { mode: 0o644 });
  writeFileSync(paths.hosts, readFileSync('/etc/hosts'), { mode: 0o644 });
  writeResolvConf(paths.resolvConf, config.dnsConfig);
  if (namespacesOf(config).ipc !== 'NODE') mountSharedMemory(paths.shm);
}

function writeResolvConf(path: string, dns: DNSConfig | null): void {
  const text = dns === null ? '' : resolvConfText(dns);
  writeFileSync(path, text === '' ? readFileSync('/etc/resolv.conf') : text, { mode: 0o644 });
}

/** resolv.conf(5) from the pod's DNS configuration; empty when that says nothing. */
function resolvConfText({ servers, searches, options }: DNSConfig): string {
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

// 64 MiB, as every runtime gives.
function mountSharedMemory(path: string): void {
  mkdirSync(path, { mode: 0o1777 });
  mount({
    source: 'shm',
    target: path,
    type: 'tmpfs',
    flags: ['nosuid', 'nodev', 'noexec'],
    data: 'mode=1777,size=65536k',
  });
}

/** Takes away the shared memory and the network namespace. Idempotent. */
export function removeSandboxMounts(runtime: Runtime, id: string): void {
  for (const name of ['shm', 'netns']) {
    const path = join(runtime.sandboxes.volatileDirectoryOf(id), name);
    unmount(path, { lazy: true, ifMounted: true });
    rmSync(path, { recursive: true, force: true });
  }
}
