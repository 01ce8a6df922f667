import { isHttpHeaderName, isPortName, isPortNumber } from '../../names.ts';
import type { HTTPGetAction, IntOrString, Lifecycle, LifecycleHandler, Probe } from '../../types.ts';
import { checkNotNegative, checkPresent, complaints } from '../checks.ts';
import { forbidden, invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { stopSignals } from './stop-signals.ts';

/** What the checks of probes and hooks must know of their Pod. */
export interface HandlerContext {
  gracePeriodSeconds: number | undefined;
  /** spec.os.name */
  os: string | undefined;
}

type Handler = LifecycleHandler & Probe;

const handlerTypes = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

/** Checks a container's three probes. */
export function validateProbes(
  probes: { livenessProbe?: Probe; readinessProbe?: Probe; startupProbe?: Probe },
  at: string,
  context: HandlerContext,
): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = probes;
  return [
    ...validateProbe(livenessProbe, `${at}.livenessProbe`, context),
    ...checkSuccessThreshold(livenessProbe, `${at}.livenessProbe`),
    ...validateProbe(readinessProbe, `${at}.readinessProbe`, context),
    ...(readinessProbe?.terminationGracePeriodSeconds === undefined
      ? []
      : [
          invalid(
            `${at}.readinessProbe.terminationGracePeriodSeconds`,
            readinessProbe.terminationGracePeriodSeconds,
            'must not be set for readinessProbes',
          ),
        ]),
    ...validateProbe(startupProbe, `${at}.startupProbe`, context),
    ...checkSuccessThreshold(startupProbe, `${at}.startupProbe`),
  ];
}

function checkSuccessThreshold(probe: Probe | undefined, at: string): FieldError[] {
  if (probe === undefined || probe.successThreshold === 1) return [];
  return [invalid(`${at}.successThreshold`, probe.successThreshold ?? 0, 'must be 1')];
}

const amounts = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

function validateProbe(probe: Probe | undefined, at: string, context: HandlerContext): FieldError[] {
  if (probe === undefined) return [];
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...validateHandler(probe, at, context),
    ...amounts.flatMap((field) => checkNotNegative(probe[field], `${at}.${field}`)),
    ...(grace !== undefined && grace <= 0
      ? [invalid(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')]
      : []),
  ];
}

/** Checks a container's hooks and stop signal. */
export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  at: string,
  context: HandlerContext,
): FieldError[] {
  if (lifecycle === undefined) return [];
  const { postStart, preStop, stopSignal } = lifecycle;
  return [
    ...(postStart === undefined ? [] : validateHandler(postStart, `${at}.postStart`, context)),
    ...(preStop === undefined ? [] : validateHandler(preStop, `${at}.preStop`, context)),
    ...(stopSignal === undefined ? [] : validateStopSignal(stopSignal, `${at}.stopSignal`, context.os)),
  ];
}

function validateStopSignal(signal: string, at: string, os: string | undefined): FieldError[] {
  if (os === undefined) return [forbidden(at, 'may not be set for containers with empty `spec.os.name`')];
  const supported = os === 'windows' ? ['SIGKILL', 'SIGTERM'] : stopSignals;
  return supported.includes(signal) ? [] : [notSupported(at, signal, supported)];
}

function validateHandler(handler: Handler, at: string, context: HandlerContext): FieldError[] {
  const [first, ...others] = handlerTypes.filter((type) => handler[type] !== undefined);
  if (first === undefined) return [required(at, 'must specify a handler type')];
  return [
    ...validateAction(handler, first, `${at}.${first}`, context),
    ...others.map((other) => forbidden(`${at}.${other}`, 'may not specify more than 1 handler type')),
  ];
}

function validateAction(
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  type: (typeof handlerTypes)[number],
  at: string,
  { gracePeriodSeconds: grace }: HandlerContext,
): FieldError[] {
  switch (type) {
    case 'exec':
      return (exec?.command ?? []).length === 0 ? [required(`${at}.command`)] : [];
    case 'httpGet':
      return httpGet === undefined ? [] : validateHttpGet(httpGet, at);
    case 'tcpSocket':
      return checkPort(tcpSocket?.port ?? 0, `${at}.port`);
    case 'grpc':
      return checkPort(grpc?.port ?? 0, `${at}.port`);
    case 'sleep':
      return checkSleep(sleep?.seconds ?? 0, grace, at);
  }
}

function checkSleep(seconds: number, grace: number | undefined, at: string): FieldError[] {
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  return [
    invalid(at, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`),
  ];
}

function validateHttpGet({ path, port, scheme = '', httpHeaders }: HTTPGetAction, at: string): FieldError[] {
  return [
    ...checkPresent(path, `${at}.path`),
    ...checkPort(port ?? 0, `${at}.port`),
    ...(['HTTP', 'HTTPS'].includes(scheme) ? [] : [notSupported(`${at}.scheme`, scheme, ['HTTP', 'HTTPS'])]),
    ...(httpHeaders ?? []).flatMap(({ name }) =>
      complaints(`${at}.httpHeaders`, name, isHttpHeaderName(name ?? '')),
    ),
  ];
}

/** A port by number or by the name of one of the container's ports. */
export function checkPort(port: IntOrString, at: string): FieldError[] {
  return complaints(at, port, typeof port === 'number' ? isPortNumber(port) : isPortName(port));
}
