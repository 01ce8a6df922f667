import { readFileSync } from 'node:fs';
import type { PodDNSConfig } from '../../api/types.ts';
import type { KubeletPod } from '../pod.ts';

export interface DnsConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface DnsSettings {
  clusterDns: string[];
  clusterDomain: string;
  /** The node's resolv.conf; /etc/resolv.conf when left out. */
  resolverConfig?: string;
}

/** resolv.conf of a Pod by its dnsPolicy and dnsConfig, with at most three nameservers (glibc takes no more). */
export function podDns(pod: KubeletPod, settings: DnsSettings): DnsConfig {
  const base = baseFor(policyOf(pod), pod, settings);
  return withinLimits(pod.spec.dnsConfig ? merge(base, pod.spec.dnsConfig) : base);
}

type Base = 'none' | 'cluster' | 'host';

function policyOf({ spec }: KubeletPod): Base {
  const policy = spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return 'none';
  if (policy === 'ClusterFirstWithHostNet') return 'cluster';
  if (policy === 'ClusterFirst' && !spec.hostNetwork) return 'cluster';
  return 'host';
}

function baseFor(policy: Base, { metadata }: KubeletPod, settings: DnsSettings): DnsConfig {
  if (policy === 'none') return { servers: [], searches: [], options: [] };
  const host = hostDns(settings.resolverConfig ?? '/etc/resolv.conf');
  if (policy === 'host' || settings.clusterDns.length === 0) return host;
  const { clusterDomain } = settings;
  return {
    servers: settings.clusterDns,
    searches: unique([
      `${metadata.namespace}.svc.${clusterDomain}`,
      `svc.${clusterDomain}`,
      clusterDomain,
      ...host.searches,
    ]),
    options: ['ndots:5'],
  };
}

/** The node's own settings; a node without a resolv.conf has none. */
function hostDns(path: string): DnsConfig {
  const found: DnsConfig = { servers: [], searches: [], options: [] };
  for (const line of readIfThere(path).split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === 'nameserver') found.servers.push(...values.slice(0, 1));
    if (keyword === 'search') found.searches = values.map((domain) => domain.replace(/(.)\.$/, '$1'));
    if (keyword === 'options') found.options = values;
  }
  return found;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

const merge = (base: DnsConfig, { nameservers, searches, options }: PodDNSConfig): DnsConfig => ({
  servers: unique([...base.servers, ...(nameservers ?? [])]),
  searches: unique([...base.searches, ...(searches ?? [])]),
  options: mergeOptions(
    base.options,
    (options ?? []).map(({ name, value }) => [name ?? '', value] as const),
  ),
});

function mergeOptions(base: string[], added: (readonly [string, string | undefined])[]): string[] {
  const merged = new Map<string, string | undefined>();
  for (const option of base) {
    const [name = '', value] = option.split(':');
    merged.set(name, value);
  }
  for (const [name, value] of added) if (name) merged.set(name, value);
  return [...merged].map(([name, value]) => (value ? `${name}:${value}` : name));
}

const unique = (values: string[]) => [...new Set(values)];

/** Upstream's limits (apimachinery validation): 3 nameservers, 32 search domains, 2048 characters of them. */
function withinLimits({ servers, searches, options }: DnsConfig): DnsConfig {
  const kept: string[] = [];
  for (const domain of searches.slice(0, 32)) {
    if ([...kept, domain].join(' ').length > 2048) break;
    kept.push(domain);
  }
  return { servers: servers.slice(0, 3), searches: kept, options };
}
