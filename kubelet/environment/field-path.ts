import type { Pod } from '../../api/types.ts';
import { quoted } from './quoted.ts';

/**
 * The value of a `fieldRef` on the Pod's own metadata, as a downward API volume can have it. Throws an Error with
 * upstream's words (pkg/fieldpath) for any other path.
 */
export const metadataField = (pod: Pod, fieldPath: string): string => {
  const { labels = {}, annotations = {}, name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  const { path, subscript } = splitSubscript(fieldPath);
  if (subscript !== undefined) {
    if (path === 'metadata.annotations') return annotations[subscript] ?? '';
    if (path === 'metadata.labels') return labels[subscript] ?? '';
    throw new Error(`fieldPath ${quoted(fieldPath)} does not support subscript`);
  }
  const fields: Record<string, () => string> = {
    'metadata.annotations': () => formatMap(annotations),
    'metadata.labels': () => formatMap(labels),
    'metadata.name': () => name,
    'metadata.namespace': () => namespace,
    'metadata.uid': () => uid,
  };
  const field = Object.hasOwn(fields, path) ? fields[path] : undefined;
  if (field === undefined) throw new Error(`unsupported fieldPath: ${fieldPath}`);
  return field();
};

export interface PodAddresses {
  podIps: readonly string[];
  hostIps: readonly string[];
}

/** The value of a `fieldRef` of an environment variable: the metadata, and what is known when the sandbox runs. */
export const runtimeField = (pod: Pod, fieldPath: string, { podIps, hostIps }: PodAddresses): string => {
  switch (fieldPath) {
    case 'spec.nodeName':
    case 'spec.host':
      return pod.spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return hostIps[0] ?? '';
    case 'status.hostIPs':
      return hostIps.join(',');
    case 'status.podIP':
      return podIps[0] ?? '';
    case 'status.podIPs':
      return podIps.join(',');
    default:
      return metadataField(pod, fieldPath);
  }
};

/** `metadata.labels['key']` is the path metadata.labels with the subscript key. */
export const splitSubscript = (fieldPath: string): { path: string; subscript: string | undefined } => {
  const [, path, subscript] = /^(.+?)\['(.*)'\]$/s.exec(fieldPath) ?? [];
  return path === undefined ? { path: fieldPath, subscript: undefined } : { path, subscript };
};

/** One `key="value"` a line, sorted by key, values quoted as Go quotes them; no final newline. */
export const formatMap = (map: Record<string, string>): string =>
  Object.keys(map)
    .sort()
    .map((key) => `${key}=${quoted(map[key] ?? '')}`)
    .join('\n');
