import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostAlias } from '../../api/types.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodHostname } from '../sandbox/hostname.ts';

/** Writes the /etc/hosts that all containers of the Pod share; returns its path on the host. */
export async function writeHostsFile({
  pod,
  podFolder,
  podIps,
  hostname,
}: {
  pod: KubeletPod;
  podFolder: string;
  podIps: string[];
  hostname: PodHostname;
}): Promise<string> {
  const { hostAliases = [], hostNetwork } = pod.spec;
  const content = hostNetwork
    ? nodeHosts(await readFile('/etc/hosts', 'utf8'), hostAliases)
    : managedHosts({ podIps, hostname, hostAliases });
  const path = join(podFolder, 'etc-hosts');
  await writeFile(path, content, { mode: 0o644 });
  return path;
}

/** The hosts file of a Pod with a network of its own (upstream: managedHostsFileContent). */
export function managedHosts({
  podIps,
  hostname: { hostname, domain },
  hostAliases,
}: {
  podIps: string[];
  hostname: PodHostname;
  hostAliases: HostAlias[];
}): string {
  const names = domain ? `${hostname}.${domain}\t${hostname}` : hostname;
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...podIps.map((ip) => `${ip}\t${names}`),
    '',
  ]
    .join('\n')
    .concat(aliasLines(hostAliases));
}

const nodeHosts = (hosts: string, hostAliases: HostAlias[]): string =>
  `# Kubernetes-managed hosts file (host network).\n${hosts}${aliasLines(hostAliases)}`;

function aliasLines(hostAliases: HostAlias[]): string {
  if (hostAliases.length === 0) return '';
  const lines = hostAliases.map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
