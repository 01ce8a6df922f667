import type { PolicyRule } from '../../api/types.ts';

export const READ = ['get', 'list', 'watch'];
export const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'];
export const READ_WRITE = [...READ, ...WRITE];
export const READ_UPDATE = [...READ, 'update', 'patch'];

/** A rule in one line: verbs (space-separated or a list), API groups (core is ''), resources, and perhaps names. */
export function rule(
  verbs: string | string[],
  apiGroups: string | string[],
  resources: string,
  names?: string,
): PolicyRule {
  return {
    verbs: typeof verbs === 'string' ? verbs.split(' ') : verbs,
    apiGroups: typeof apiGroups === 'string' ? [apiGroups] : apiGroups,
    resources: resources.split(' '),
    ...(names !== undefined && { resourceNames: names.split(' ') }),
  };
}

/** A rule for paths that are no resources. */
export const pathRule = (verbs: string, paths: string): PolicyRule => ({
  verbs: verbs.split(' '),
  nonResourceURLs: paths.split(' '),
});

/** The right to write events, which every component has. */
export const EVENTS_RULE = rule('create update patch', ['', 'events.k8s.io'], 'events');
