import type { KubeletPod } from '../pod.ts';

/** Host name and DNS domain of the Pod; the domain is empty without a subdomain. */
export interface PodHostname {
  hostname: string;
  domain: string;
}

const maxHostnameLength = 63;
const maxKernelNameLength = 64;
const labelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** hostnameOverride, else hostname, else the Pod's name, cut to 63 characters as upstream does. */
export function podHostname(pod: KubeletPod, clusterDomain: string): PodHostname {
  const { spec, metadata } = pod;
  if (spec.hostnameOverride) return { hostname: truncate(spec.hostnameOverride), domain: '' };
  return {
    hostname: truncate(checkedLabel('Hostname', spec.hostname) ?? metadata.name),
    domain: spec.subdomain
      ? `${checkedLabel('Subdomain', spec.subdomain)}.${metadata.namespace}.svc.${clusterDomain}`
      : '',
  };
}

function checkedLabel(field: string, value: string | undefined): string | undefined {
  if (!value) return undefined;
  if (labelPattern.test(value)) return value;
  throw new Error(
    `pod ${field} "${value}" is not a valid DNS label: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
  );
}

const truncate = (hostname: string): string =>
  hostname.length <= maxHostnameLength
    ? hostname
    : hostname.slice(0, maxHostnameLength).replace(/[-.]+$/, '');

/** What `uname -n` says in the Pod; with setHostnameAsFQDN the whole name, which the kernel limits to 64 bytes. */
export function kernelHostname(pod: KubeletPod, { hostname, domain }: PodHostname): string {
  if (!pod.spec.setHostnameAsFQDN || !domain) return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length <= maxKernelNameLength) return fqdn;
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${maxKernelNameLength} characters is the max, ${fqdn.length} characters requested)`,
  );
}
