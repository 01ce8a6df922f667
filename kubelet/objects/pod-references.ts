import type { Container, Pod, Volume } from '../../api/types.ts';

/** A ConfigMap or Secret in the namespace of the Pod that names it. */
export interface ObjectReference {
  kind: 'ConfigMap' | 'Secret';
  name: string;
}

/** `ConfigMap/name`: a key for maps. */
export const referenceKey = ({ kind, name }: ObjectReference): string => `${kind}/${name}`;

/** Every ConfigMap and Secret that the Pod names: volumes, environment, image pull secrets. Each once. */
export const podReferences = ({ spec }: Pod): ObjectReference[] => {
  const containers: Pick<Container, 'env' | 'envFrom'>[] = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  return unique([
    ...(spec?.volumes ?? []).flatMap(volumeReferences),
    ...containers.flatMap(environmentReferences),
    ...(spec?.imagePullSecrets ?? []).map(({ name }) => secret(name)),
  ]);
};

/** The ConfigMaps and Secrets whose content is in the volume. */
export const volumeReferences = ({ configMap, secret: source, projected }: Volume): ObjectReference[] =>
  unique([
    ...(configMap === undefined ? [] : [configMapOf(configMap.name)]),
    ...(source === undefined ? [] : [secret(source.secretName)]),
    ...(projected?.sources ?? []).flatMap((projection) => [
      ...(projection.configMap === undefined ? [] : [configMapOf(projection.configMap.name)]),
      ...(projection.secret === undefined ? [] : [secret(projection.secret.name)]),
    ]),
  ]);

const environmentReferences = ({ env = [], envFrom = [] }: Pick<Container, 'env' | 'envFrom'>) => [
  ...envFrom.flatMap(({ configMapRef, secretRef }) => [
    ...(configMapRef === undefined ? [] : [configMapOf(configMapRef.name)]),
    ...(secretRef === undefined ? [] : [secret(secretRef.name)]),
  ]),
  ...env.flatMap(({ valueFrom }) => [
    ...(valueFrom?.configMapKeyRef === undefined ? [] : [configMapOf(valueFrom.configMapKeyRef.name)]),
    ...(valueFrom?.secretKeyRef === undefined ? [] : [secret(valueFrom.secretKeyRef.name)]),
  ]),
];

const configMapOf = (name = ''): ObjectReference => ({ kind: 'ConfigMap', name });
const secret = (name = ''): ObjectReference => ({ kind: 'Secret', name });

const unique = (references: ObjectReference[]): ObjectReference[] => [
  ...new Map(
    references.filter(({ name }) => name !== '').map((reference) => [referenceKey(reference), reference]),
  ).values(),
];
