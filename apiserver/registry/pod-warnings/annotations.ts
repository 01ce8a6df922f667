import { isDeepStrictEqual } from 'node:util';
import type { AppArmorProfile, PodTemplateSpec } from '../../../api/types.ts';
import { containersOf } from './containers.ts';

const DEPRECATED_ANNOTATIONS = [
  [
    'scheduler.alpha.kubernetes.io/critical-pod',
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  [
    'security.alpha.kubernetes.io/unsafe-sysctls',
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
] as const;

const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_OF_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const SECCOMP_WORDS = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** Of annotations that became fields; `path` is that of the annotations. */
export function annotationWarnings({ metadata, spec }: PodTemplateSpec, path: string): string[] {
  const warn = (key: string, words: string): string[] =>
    metadata?.annotations?.[key] === undefined ? [] : [`${path}[${key}]: ${words}`];
  return [
    ...DEPRECATED_ANNOTATIONS.flatMap(([key, words]) => warn(key, words)),
    ...(spec?.securityContext?.seccompProfile === undefined ? warn(SECCOMP, SECCOMP_WORDS) : []),
    ...containersOf(spec, '').flatMap(({ container: { name, securityContext } }) =>
      securityContext?.seccompProfile === undefined
        ? warn(`${SECCOMP_OF_CONTAINER}${name}`, SECCOMP_WORDS)
        : [],
    ),
  ];
}

/** Of AppArmor profiles in annotations that say what no field does; `path` is that of the annotations. */
export function appArmorWarnings({ metadata, spec }: PodTemplateSpec, path: string): string[] {
  const ofPod = spec?.securityContext?.appArmorProfile;
  return containersOf(spec, '').flatMap(({ container: { name, securityContext } }) => {
    const key = `${APP_ARMOR}${name}`;
    const value = metadata?.annotations?.[key];
    if (value === undefined || securityContext?.appArmorProfile !== undefined) return [];
    if (ofPod !== undefined && isDeepStrictEqual(ofPod, appArmorProfileOf(value))) return [];
    return [`${path}[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`];
  });
}

/** The field for an annotation's value; undefined for one that means nothing. */
function appArmorProfileOf(value: string): AppArmorProfile | undefined {
  if (value === 'unconfined') return { type: 'Unconfined' };
  if (value === 'runtime/default') return { type: 'RuntimeDefault' };
  const [, localhostProfile] = /^localhost\/(.+)$/s.exec(value) ?? [];
  return localhostProfile === undefined ? undefined : { type: 'Localhost', localhostProfile };
}
