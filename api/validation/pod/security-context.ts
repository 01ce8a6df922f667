import { isUserOrGroupId } from '../../names.ts';
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from '../../types.ts';
import { checkDescendingPath, checkEnum, complaints } from '../checks.ts';
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';

/** Checks the Pod's own security context. */
export function validatePodSecurityContext(spec: PodSpec, path: string): FieldError[] {
  const context = spec.securityContext ?? {};
  const shared = spec.shareProcessNamespace === true && spec.hostPID === true;
  return [
    ...checkId(context.fsGroup, `${path}.fsGroup`),
    ...checkId(context.runAsUser, `${path}.runAsUser`),
    ...checkId(context.runAsGroup, `${path}.runAsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((id, index) =>
      checkId(id, `${path}.supplementalGroups[${index}]`),
    ),
    ...(shared
      ? [
          invalid(
            `${path}.shareProcessNamespace`,
            true,
            'ShareProcessNamespace and HostPID cannot both be enabled',
          ),
        ]
      : []),
    ...validateSysctls(spec, context.sysctls, `${path}.sysctls`),
    ...checkPolicies(context, path),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ];
}

function checkPolicies(context: PodSecurityContext, path: string): FieldError[] {
  return [
    ...checkEnum(context.fsGroupChangePolicy, `${path}.fsGroupChangePolicy`, ['Always', 'OnRootMismatch']),
    ...checkEnum(context.supplementalGroupsPolicy, `${path}.supplementalGroupsPolicy`, ['Merge', 'Strict']),
    ...checkEnum(context.seLinuxChangePolicy, `${path}.seLinuxChangePolicy`, ['Recursive']),
  ];
}

/** Checks a container's security context. `hostUsers` is the Pod's. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  path: string,
  { hostUsers }: { hostUsers: boolean },
): FieldError[] {
  if (context === undefined) return [];
  const { procMount } = context;
  return [
    ...checkId(context.runAsUser, `${path}.runAsUser`),
    ...checkId(context.runAsGroup, `${path}.runAsGroup`),
    ...checkEnum(procMount, `${path}.procMount`, ['Default', 'Unmasked']),
    ...(hostUsers && procMount === 'Unmasked'
      ? [invalid(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`')]
      : []),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...checkEscalation(context, path),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ];
}

function checkEscalation(context: SecurityContext, path: string): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const admin = (context.capabilities?.add ?? []).filter((name) => name === 'CAP_SYS_ADMIN');
  return [
    ...(context.privileged === true
      ? [invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')]
      : []),
    ...admin.map(() =>
      invalid(
        path,
        context,
        'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
      ),
    ),
  ];
}

function checkId(id: number | undefined, path: string): FieldError[] {
  return id === undefined ? [] : complaints(path, id, isUserOrGroupId(id));
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type = '', localhostProfile } = profile;
  return [
    ...checkSeccompType(type, `${path}.type`),
    ...checkSeccompFile(profile, type, localhostProfile, path),
  ];
}

function checkSeccompType(type: string, path: string): FieldError[] {
  if (type === '') return [required(path, 'type is required when seccompProfile is set')];
  return checkEnum(type, path, ['Localhost', 'RuntimeDefault', 'Unconfined']);
}

function checkSeccompFile(
  profile: SeccompProfile,
  type: string,
  file: string | undefined,
  path: string,
): FieldError[] {
  const field = `${path}.localhostProfile`;
  if (type !== 'Localhost')
    return file === undefined
      ? []
      : [invalid(field, profile, 'can only be set when seccomp type is Localhost')];
  return file === undefined
    ? [required(field, 'must be set when seccomp type is Localhost')]
    : checkDescendingPath(file, field);
}

export function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type = '', localhostProfile } = profile;
  const field = `${path}.localhostProfile`;
  switch (type) {
    case 'Localhost':
      return checkAppArmorFile(localhostProfile, field);
    case 'RuntimeDefault':
    case 'Unconfined':
      return localhostProfile === undefined
        ? []
        : [invalid(field, localhostProfile, 'can only be set when AppArmor type is Localhost')];
    case '':
      return [required(`${path}.type`, 'type is required when appArmorProfile is set')];
    default:
      return [notSupported(`${path}.type`, type, ['Localhost', 'RuntimeDefault', 'Unconfined'])];
  }
}

const pathLimitBytes = 4095;

function checkAppArmorFile(file: string | undefined, field: string): FieldError[] {
  if (file === undefined || file === '')
    return [required(field, 'must be set when AppArmor type is Localhost')];
  return [
    ...(file.trim() === file ? [] : [invalid(field, file, 'must not be padded with whitespace')]),
    ...(file.length > pathLimitBytes ? [tooLong(field, pathLimitBytes)] : []),
  ];
}

const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const sysctlName = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
const sysctlLimit = 253;

function validateSysctls(spec: PodSpec, sysctls: Sysctl[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>();
  return (sysctls ?? []).flatMap(({ name = '' }, index) => {
    const field = `${path}[${index}].name`;
    const repeated = seen.has(name);
    seen.add(name);
    return [...checkSysctlName(name, field, repeated), ...checkHostSysctl(spec, name, field)];
  });
}

function checkSysctlName(name: string, field: string, repeated: boolean): FieldError[] {
  if (name === '') return [required(field)];
  if (name.length > sysctlLimit || !new RegExp(sysctlName).test(name))
    return [
      invalid(field, name, `must have at most ${sysctlLimit} characters and match regex ${sysctlName}`),
    ];
  return repeated ? [duplicate(field, name)] : [];
}

/** A sysctl of a namespace that the Pod shares with the host would change the host. */
function checkHostSysctl(spec: PodSpec, name: string, field: string): FieldError[] {
  const dotted = name.replaceAll('/', '.');
  if (spec.hostNetwork === true && dotted.startsWith('net.'))
    return [invalid(field, name, "may not be specified when 'hostNetwork' is true")];
  const isIpc = /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted);
  if (spec.hostIPC === true && isIpc)
    return [invalid(field, name, "may not be specified when 'hostIPC' is true")];
  return [];
}

/** Fields that contradict a user namespace of the Pod's own. */
export function validateHostUsers(spec: PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const why = 'when `hostUsers` is false';
  return [
    ...(spec.hostNetwork === true ? [forbidden(`${path}.hostNetwork`, why)] : []),
    ...(spec.hostPID === true ? [forbidden(`${path}.HostPID`, why)] : []),
    ...(spec.hostIPC === true ? [forbidden(`${path}.HostIPC`, why)] : []),
  ];
}
