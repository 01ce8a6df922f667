import { goPrint, quote } from '../../../api/go-format.ts';
import { isDns1123Label } from '../../../api/names.ts';
import type { Pod, PodSpec, PodTemplateSpec } from '../../../api/types.ts';
import { fractionalByteWarnings } from '../fractional-bytes.ts';
import { ipWarnings } from '../ip-warnings.ts';
import { annotationWarnings, appArmorWarnings } from './annotations.ts';
import { BYTE_RESOURCES, containerWarnings } from './containers.ts';
import { portWarnings } from './ports.ts';
import { nodeLabelWarnings, podAffinityWarnings } from './scheduling.ts';
import { volumeWarnings } from './volumes.ts';

/**
 * What the maker of a Pod is told of fields that do nothing, or not what they seem to; of a change nothing is told. Defaults must have
 * been applied. Source of all of pod-warnings: Kubernetes pkg/registry/core/pod/strategy.go and pkg/api/pod/warnings.go.
 */
export function podWarnings(pod: Pod): string[] {
  const { metadata, spec } = pod;
  const wrong = isDns1123Label(metadata?.name ?? '');
  return [
    ...(wrong.length === 0
      ? []
      : [
          `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: ${goPrint(wrong)}`,
        ]),
    ...annotationWarnings(pod, 'metadata.annotations'),
    ...specWarnings(spec, 'spec'),
  ];
}

/** As `podWarnings`, of what Pods are to be made of. */
export function podTemplateWarnings(template: PodTemplateSpec, path: string): string[] {
  return [
    ...annotationWarnings(template, `${path}.metadata.annotations`),
    ...appArmorWarnings(template, `${path}.metadata.annotations`),
    ...specWarnings(template.spec, `${path}.spec`),
  ];
}

/** Of a report of a Pod's status: how its addresses are written. */
export const podStatusWarnings = ({ status }: Pod): string[] =>
  (['podIPs', 'hostIPs'] as const).flatMap((list) =>
    (status?.[list] ?? []).flatMap(({ ip }, index) => ipWarnings(ip, `status.${list}[${index}].ip`)),
  );

function specWarnings(spec: PodSpec | undefined, path: string): string[] {
  if (spec === undefined) return [];
  return [
    ...nodeLabelWarnings(spec, path),
    ...volumeWarnings(spec.volumes, `${path}.volumes`),
    ...repeated(spec.hostAliases, 'ip', `${path}.hostAliases`),
    ...pullSecretWarnings(spec, `${path}.imagePullSecrets`),
    ...fractionalByteWarnings(spec.overhead, BYTE_RESOURCES, `${path}.overhead`),
    ...containerWarnings(spec, path),
    ...portWarnings(spec, path),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [
          `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
        ]
      : []),
    ...podAffinityWarnings(spec, `${path}.affinity`),
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((server, index) =>
      ipWarnings(server, `${path}.dnsConfig.nameservers[${index}]`),
    ),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, index) =>
      ipWarnings(ip, `${path}.hostAliases[${index}].ip`),
    ),
  ];
}

const pullSecretWarnings = ({ imagePullSecrets = [] }: PodSpec, path: string): string[] => [
  ...repeated(imagePullSecrets, 'name', path),
  ...imagePullSecrets.flatMap(({ name = '' }, index) =>
    name === '' ? [`${path}[${index}].name: invalid empty name ""`] : [],
  ),
];

/** A warning for each item whose `key` an earlier one has. */
function repeated<K extends string>(
  items: Partial<Record<K, string>>[] | undefined,
  key: K,
  path: string,
): string[] {
  const values = (items ?? []).map((item) => item[key] ?? '');
  return values.flatMap((value, index) =>
    values.indexOf(value) < index ? [`${path}[${index}].${key}: duplicate ${key} ${quote(value)}`] : [],
  );
}
