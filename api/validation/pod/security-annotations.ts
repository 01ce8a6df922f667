import type { AppArmorProfile, Pod, PodSpec, PodTemplateSpec, SeccompProfile } from '../../types.ts';
import { checkDescendingPath } from '../checks.ts';
import { forbidden, invalid } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateAppArmor } from './security-context.ts';

/** Before the name of a container: the annotations that were there before the fields. */
export const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';
export const seccompAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';
/** Of the Pod as a whole. */
export const podSeccompAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';

const localhost = 'localhost/';

/** The field for an AppArmor annotation's value; undefined for one that means nothing. */
export function appArmorProfileOf(value: string): AppArmorProfile | undefined {
  const profile = profileOf(value);
  return profile !== undefined && validateAppArmor(profile, '').length === 0 ? profile : undefined;
}

function profileOf(value: string): AppArmorProfile | undefined {
  if (value === 'unconfined') return { type: 'Unconfined' };
  if (value === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!value.startsWith(localhost)) return undefined;
  return { type: 'Localhost', localhostProfile: value.slice(localhost.length) };
}

/** Checks the annotations of a Pod or a template that tell of security profiles. */
export function validateSecurityAnnotations({ metadata, spec }: PodTemplateSpec, path: string): FieldError[] {
  const annotations = Object.entries(metadata?.annotations ?? {});
  const names = placedContainers(spec).map(({ container: { name } }) => name);
  return [
    ...annotations.flatMap(([key, value]) =>
      key === podSeccompAnnotation || key.startsWith(seccompAnnotation)
        ? checkSeccomp(value, `${path}.${key}`)
        : [],
    ),
    ...annotations.flatMap(([key, value]) =>
      key.startsWith(appArmorAnnotation) ? checkAppArmor(key, value, { names, at: `${path}[${key}]` }) : [],
    ),
  ];
}

function checkSeccomp(value: string, at: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(value)) return [];
  if (value.startsWith(localhost)) return checkDescendingPath(value.slice(localhost.length), at);
  return [invalid(at, value, 'must be a valid seccomp profile')];
}

function checkAppArmor(
  key: string,
  value: string,
  { names, at }: { names: string[]; at: string },
): FieldError[] {
  const name = key.slice(appArmorAnnotation.length);
  const isKnown = ['', 'runtime/default', 'unconfined'].includes(value) || value.startsWith(localhost);
  return [
    ...(names.includes(name) ? [] : [invalid(at, name, 'container not found')]),
    ...(isKnown ? [] : [invalid(at, value, `invalid AppArmor profile name: ${JSON.stringify(value)}`)]),
  ];
}

/** Of a new Pod: what an annotation says of a profile, a field beside it must say, too. */
export function checkProfilesMatch({ metadata, spec }: Pod): FieldError[] {
  const annotations = metadata?.annotations ?? {};
  const { seccompProfile, appArmorProfile } = spec?.securityContext ?? {};
  const containers = placedContainers(spec);
  return [
    ...checkMatch('seccomp', annotations[podSeccompAnnotation], seccompProfile, 'spec.securityContext'),
    ...containers.flatMap(({ container: { name, securityContext }, at }) =>
      checkMatch('seccomp', annotations[seccompAnnotation + name], securityContext?.seccompProfile, at),
    ),
    ...(spec?.os?.name === 'windows' ? [] : containers).flatMap(
      ({ container: { name, securityContext }, at }) =>
        checkMatch(
          'apparmor',
          annotations[appArmorAnnotation + name],
          securityContext?.appArmorProfile ?? appArmorProfile,
          at,
        ),
    ),
  ];
}

const fields = { seccomp: 'seccompProfile', apparmor: 'appArmorProfile' };
const words: Record<string, string[]> = {
  Unconfined: ['unconfined'],
  RuntimeDefault: ['runtime/default'],
};

function checkMatch(
  what: keyof typeof fields,
  annotation: string | undefined,
  profile: SeccompProfile | AppArmorProfile | undefined,
  context: string,
): FieldError[] {
  if (annotation === undefined || profile === undefined) return [];
  const differs = (field: string, part: string) => [
    forbidden(`${context}.${fields[what]}.${field}`, `${what} ${part} in annotation and field must match`),
  ];
  const { type, localhostProfile } = profile;
  if (type !== 'Localhost') {
    const fits = words[type]?.includes(annotation) ?? true;
    const isDocker = what === 'seccomp' && type === 'RuntimeDefault' && annotation === 'docker/default';
    return fits || isDocker ? [] : differs('type', 'type');
  }
  if (!annotation.startsWith(localhost)) return differs('type', 'type');
  return annotation.slice(localhost.length) === localhostProfile
    ? []
    : differs('localhostProfile', 'profile');
}

function placedContainers(spec: PodSpec | undefined) {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec?.[list] ?? []).map((container, index) => ({
      container,
      at: `spec.${list}[${index}].securityContext`,
    })),
  );
}
