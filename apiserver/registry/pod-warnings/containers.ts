import { quote } from '../../../api/go-format.ts';
import type { Container, EnvVar, EphemeralContainer, PodSpec } from '../../../api/types.ts';
import { fractionalByteWarnings } from '../fractional-bytes.ts';

/** The resources of a Pod that are counted in whole bytes. */
export const BYTE_RESOURCES = ['memory', 'ephemeral-storage'];

/** All containers of a Pod, each with its path. */
export function containersOf(
  spec: PodSpec | undefined,
  path: string,
): { container: Container | EphemeralContainer; at: string }[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec?.[list] ?? []).map((container, index) => ({ container, at: `${path}.${list}[${index}]` })),
  );
}

/** Of each container's resources and environment; `path` is that of the spec. */
export function containerWarnings(spec: PodSpec, path: string): string[] {
  return containersOf(spec, path).flatMap(({ container: { resources, env }, at }) => [
    ...(['limits', 'requests'] as const).flatMap((list) =>
      fractionalByteWarnings(resources?.[list], BYTE_RESOURCES, `${at}.resources.${list}`),
    ),
    ...hiddenVariables(env ?? [], `${at}.env`),
  ]);
}

/** Of variables given twice, unless the later value is made of the earlier: `kubectl apply` merges them by name. */
function hiddenVariables(env: EnvVar[], path: string): string[] {
  const names = env.map(({ name }) => name);
  return env.flatMap(({ name, value = '', valueFrom }, index) => {
    if (names.indexOf(name) === index) return [];
    const reference = `$(${name})`;
    const addsToIt = valueFrom === undefined && value !== reference && value.includes(reference);
    return addsToIt
      ? []
      : [
          `${path}[${index}]: hides previous definition of ${quote(name)}, which may be dropped when using apply`,
        ];
  });
}
