import { isDeepStrictEqual } from 'node:util';
import type { PodTemplateSpec } from '../../../api/types.ts';
import {
  appArmorAnnotation,
  appArmorProfileOf,
  podSeccompAnnotation,
  seccompAnnotation,
} from '../../../api/validation/pod/security-annotations.ts';
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

const SECCOMP_WORDS = 'non-functional in v1.27+; use the "seccompProfile" field instead';

/** Of annotations that became fields; `path` is that of the annotations. */
export function annotationWarnings({ metadata, spec }: PodTemplateSpec, path: string): string[] {
  const warn = (key: string, words: string): string[] =>
    metadata?.annotations?.[key] === undefined ? [] : [`${path}[${key}]: ${words}`];
  return [
    ...DEPRECATED_ANNOTATIONS.flatMap(([key, words]) => warn(key, words)),
    ...(spec?.securityContext?.seccompProfile === undefined ? warn(podSeccompAnnotation, SECCOMP_WORDS) : []),
    ...containersOf(spec, '').flatMap(({ container: { name, securityContext } }) =>
      securityContext?.seccompProfile === undefined ? warn(seccompAnnotation + name, SECCOMP_WORDS) : [],
    ),
  ];
}

/** Of AppArmor profiles in annotations that say what no field does; `path` is that of the annotations. */
export function appArmorWarnings({ metadata, spec }: PodTemplateSpec, path: string): string[] {
  const ofPod = spec?.securityContext?.appArmorProfile;
  return containersOf(spec, '').flatMap(({ container: { name, securityContext } }) => {
    const key = appArmorAnnotation + name;
    const value = metadata?.annotations?.[key];
    if (value === undefined || securityContext?.appArmorProfile !== undefined) return [];
    if (ofPod !== undefined && isDeepStrictEqual(ofPod, appArmorProfileOf(value))) return [];
    return [`${path}[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`];
  });
}
