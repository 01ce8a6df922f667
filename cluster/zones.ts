/** The zone of all nodes when none was asked for; its region is `local`. */
const DEFAULT_ZONE = 'local-a';

/** What is a label value, a folder name and a DNS label at once. */
const ZONE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The zones of a new cluster. Throws RangeError for a name that can't be a label, and for a zone named twice. */
export function checkZones(zones: string[]): void {
  const bad = zones.find((zone) => !ZONE_NAME.test(zone));
  if (bad !== undefined) {
    throw new RangeError(
      `invalid zone '${bad}': it must be lower case letters, digits and '-', at most 63, and begin and end with a letter or digit`,
    );
  }
  const twice = zones.find((zone, index) => zones.indexOf(zone) !== index);
  if (twice !== undefined) throw new RangeError(`zone '${twice}' is named twice`);
}

/**
 * Deals the zones out to the worker nodes, one after the other; the first of several nodes runs the control plane and is in the first
 * zone. All nodes are in one zone when none is given.
 */
export function dealZones(nodeNames: string[], zones: string[] = []): string[] {
  const dealt = zones.length === 0 ? [DEFAULT_ZONE] : zones;
  const firstWorker = nodeNames.length > 1 ? 1 : 0;
  return nodeNames.map((_, index) => dealt[Math.max(0, index - firstWorker) % dealt.length] ?? DEFAULT_ZONE);
}

/**
 * The region that a zone's name tells: `cn-hangzhou` of `cn-hangzhou-b`, `us-east-1` of `us-east-1a`. A name of one word is its
 * own region.
 */
export function regionOf(zone: string): string {
  return /^(.*\d)[a-z]$/.exec(zone)?.[1] ?? /^(.+)-[a-z0-9]+$/.exec(zone)?.[1] ?? zone;
}

/** The labels of a node in a zone, by their present and their old names (https://kubernetes.io/docs/reference/labels-annotations-taints/). */
export function topologyLabels(zone: string): Record<string, string> {
  const region = regionOf(zone);
  return {
    'topology.kubernetes.io/region': region,
    'topology.kubernetes.io/zone': zone,
    'failure-domain.beta.kubernetes.io/region': region,
    'failure-domain.beta.kubernetes.io/zone': zone,
  };
}
