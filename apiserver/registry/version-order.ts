interface KubernetesVersion {
  major: number;
  /** 3 for a general version, 2 for beta, 1 for alpha. */
  stability: number;
  minor: number;
}

/**
 * Orders versions by preference, the best first: v2, v1, v1beta2, v1beta1, v1alpha1, then all that is no Kubernetes version by name
 * (upstream: apimachinery/pkg/version CompareKubeAwareVersionStrings).
 */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [parse(a), parse(b)];
  if (first === undefined || second === undefined) {
    if (first !== undefined) return -1;
    if (second !== undefined) return 1;
    return a === b ? 0 : a < b ? -1 : 1;
  }
  return second.stability - first.stability || second.major - first.major || second.minor - first.minor;
}

function parse(version: string): KubernetesVersion | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return undefined;
  const stability = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
  return { major: Number(match[1]), stability, minor: Number(match[3] ?? 0) };
}
