import { isPortName, isPortNumber } from '../../names.ts';
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
  PodSpec,
} from '../../types.ts';
import { checkLabel, checkRequiredEnum, complaints } from '../checks.ts';
import { duplicate, forbidden, invalid, notFoundField, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateContainerResources } from '../resources.ts';
import { validateEnvironment, validateEnvironmentFrom } from './environment.ts';
import { validateLifecycle, validateProbes } from './handlers.ts';
import type { HandlerContext } from './handlers.ts';
import { validateDevices, validateMounts } from './mounts.ts';
import { validateRestartRules } from './restart-rules.ts';
import { validateSecurityContext } from './security-context.ts';
import type { VolumesByName } from './volumes.ts';

/** What the checks of containers must know of their Pod. */
export interface ContainerContext extends HandlerContext {
  spec: PodSpec;
  volumes: VolumesByName;
  claimNames: Set<string>;
}

/** Checks the regular containers. */
export function validateContainers(path: string, context: ContainerContext): FieldError[] {
  const containers = context.spec.containers ?? [];
  if (containers.length === 0) return [required(path)];
  const names = new Set<string>();
  return [
    ...containers.flatMap((container, index) => {
      const at = `${path}[${index}]`;
      return [
        ...validateCommon(container, at, context),
        ...checkUnique(container.name ?? '', names, at),
        ...validateLifecycle(container.lifecycle, `${at}.lifecycle`, context),
        ...validateProbes(container, at, context),
        ...validateRestartRules(container, at),
      ];
    }),
    ...checkHostPorts(containers, path),
  ];
}

/** Checks the init containers; only sidecars (restartPolicy: Always) have hooks and probes. */
export function validateInitContainers(path: string, context: ContainerContext): FieldError[] {
  const names = new Set((context.spec.containers ?? []).map(({ name }) => name));
  return (context.spec.initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const isSidecar = container.restartPolicy === 'Always';
    return [
      ...validateCommon(container, at, context),
      ...validateRestartRules(container, at),
      ...checkUnique(container.name ?? '', names, at),
      ...checkHostPorts([container], path),
      ...(isSidecar
        ? [
            ...validateLifecycle(container.lifecycle, `${at}.lifecycle`, context),
            ...validateProbes(container, at, context),
          ]
        : forbidFields(container, at)),
      ...(isSidecar ? [] : forbidRestartOnResize(container, at)),
    ];
  });
}

function forbidFields(container: Container, at: string): FieldError[] {
  const fields = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;
  return fields
    .filter((field) => container[field] !== undefined)
    .map((field) =>
      forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
    );
}

function forbidRestartOnResize({ resizePolicy }: Container, at: string): FieldError[] {
  return (resizePolicy ?? []).flatMap(({ restartPolicy }, index) =>
    restartPolicy === 'RestartContainer'
      ? [
          invalid(
            `${at}.resizePolicy[${index}].restartPolicy`,
            restartPolicy,
            "must not be set to 'RestartContainer' for non-sidecar initContainers",
          ),
        ]
      : [],
  );
}

const ephemeralFields = new Set([
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'envFrom',
  'env',
  'volumeMounts',
  'volumeDevices',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'securityContext',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
]);

/** Checks the containers that were added for debugging. */
export function validateEphemeralContainers(path: string, context: ContainerContext): FieldError[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = context.spec;
  const targets = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(targets);
  return ephemeralContainers.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const target = container.targetContainerName ?? '';
    return [
      ...validateCommon(container, at, context),
      ...checkImagePadding(container, at),
      ...checkUnique(container.name ?? '', names, at),
      ...(target === '' || targets.has(target) ? [] : [notFoundField(`${at}.targetContainerName`, target)]),
      ...forbidEphemeralFields(container, at),
    ];
  });
}

function forbidEphemeralFields(container: EphemeralContainer, at: string): FieldError[] {
  const why = 'cannot be set for an Ephemeral Container';
  const isSet = (value: unknown) =>
    value !== undefined && JSON.stringify(value) !== '{}' && JSON.stringify(value) !== '[]';
  const fields = Object.entries(container).filter(
    ([field, value]) => !ephemeralFields.has(field) && isSet(value),
  );
  const subPaths = (container.volumeMounts ?? []).flatMap((mount, index) =>
    (['subPath', 'subPathExpr'] as const)
      .filter((field) => (mount[field] ?? '') !== '')
      .map((field) => forbidden(`${at}.volumeMounts[${index}].${field}`, why)),
  );
  return [...fields.map(([field]) => forbidden(`${at}.${field}`, why)), ...subPaths];
}

/** Checks what containers of all sorts have. */
function validateCommon(
  container: Container | EphemeralContainer,
  at: string,
  { spec, volumes, claimNames }: ContainerContext,
): FieldError[] {
  const { name = '', image = '' } = container;
  return [
    ...(name === '' ? [required(`${at}.name`)] : checkLabel(name, `${at}.name`)),
    ...(image === '' ? [required(`${at}.image`)] : []),
    ...checkRequiredEnum(container.terminationMessagePolicy, `${at}.terminationMessagePolicy`, [
      'File',
      'FallbackToLogsOnError',
    ]),
    ...validatePorts(container.ports, `${at}.ports`),
    ...validateEnvironment(container.env, `${at}.env`),
    ...validateEnvironmentFrom(container.envFrom, `${at}.envFrom`),
    ...validateMounts(container, volumes, `${at}.volumeMounts`),
    ...validateDevices(container, volumes, `${at}.volumeDevices`),
    ...checkRequiredEnum(container.imagePullPolicy, `${at}.imagePullPolicy`, [
      'Always',
      'IfNotPresent',
      'Never',
    ]),
    ...validateContainerResources(container.resources, `${at}.resources`, claimNames),
    ...validateResizePolicies(container.resizePolicy, `${at}.resizePolicy`, spec.restartPolicy),
    ...validateSecurityContext(container.securityContext, `${at}.securityContext`, {
      hostUsers: spec.hostUsers !== false,
    }),
  ];
}

function checkUnique(name: string, names: Set<string>, at: string): FieldError[] {
  if (names.has(name)) return [duplicate(`${at}.name`, name)];
  names.add(name);
  return [];
}

/** An image with blanks around it is refused in Pods, while older templates may have one. */
export function checkImagePadding({ image = '' }: { image?: string }, at: string): FieldError[] {
  return image === image.trim()
    ? []
    : [invalid(`${at}.image`, image, 'must not have leading or trailing whitespace')];
}

function validatePorts(ports: ContainerPort[] | undefined, path: string): FieldError[] {
  const names = new Set<string>();
  return (ports ?? []).flatMap(({ name = '', containerPort = 0, hostPort = 0, protocol }, index) => {
    const at = `${path}[${index}]`;
    const wrong = name === '' ? [] : isPortName(name);
    const repeated = name !== '' && wrong.length === 0 && names.has(name);
    names.add(name);
    return [
      ...complaints(`${at}.name`, name, wrong),
      ...(repeated ? [duplicate(`${at}.name`, name)] : []),
      ...(containerPort === 0
        ? [required(`${at}.containerPort`)]
        : complaints(`${at}.containerPort`, containerPort, isPortNumber(containerPort))),
      ...(hostPort === 0 ? [] : complaints(`${at}.hostPort`, hostPort, isPortNumber(hostPort))),
      ...checkRequiredEnum(protocol, `${at}.protocol`, ['SCTP', 'TCP', 'UDP']),
    ];
  });
}

/** No two containers may want the same port of the host. */
function checkHostPorts(containers: Container[], path: string): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap(({ ports }, container) =>
    (ports ?? []).flatMap(({ protocol = '', hostIP = '', hostPort = 0 }, index) => {
      if (hostPort === 0) return [];
      const port = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(port)) return [duplicate(`${path}[${container}].ports[${index}].hostPort`, port)];
      taken.add(port);
      return [];
    }),
  );
}

function validateResizePolicies(
  policies: ContainerResizePolicy[] | undefined,
  path: string,
  podRestartPolicy: string | undefined,
): FieldError[] {
  const seen = new Set<string>();
  return (policies ?? []).flatMap(({ resourceName = '', restartPolicy = '' }, index) => {
    const repeated = seen.has(resourceName);
    seen.add(resourceName);
    return [
      ...(repeated ? [duplicate(`${path}[${index}]`, resourceName)] : []),
      ...checkRequiredEnum(resourceName, path, ['cpu', 'memory']),
      ...checkRequiredEnum(restartPolicy, path, ['NotRequired', 'RestartContainer']),
      ...(podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired'
        ? [invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")]
        : []),
    ];
  });
}
