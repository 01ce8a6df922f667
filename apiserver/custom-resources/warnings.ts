import type { StructuralSchema } from '../../api/custom-resources/structural-schema.ts';
import { isKnownFormat } from '../../api/custom-resources/validation/formats.ts';
import { isQualifiedName } from '../../api/names.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../api/types.ts';
import type { ApiObject } from '../registry/kind.ts';
import { compareVersions } from '../registry/version-order.ts';

/** What the users of a deprecated version are told (upstream: customresource_handler.go defaultDeprecationWarning). */
export function versionDeprecation(
  { name, deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
  { spec }: CustomResourceDefinition,
): { deprecation?: string } {
  if (deprecated !== true) return {};
  if (deprecationWarning !== undefined) return { deprecation: deprecationWarning };
  const [better] = spec.versions
    .filter((other) => other.served && other.deprecated !== true && compareVersions(other.name, name) < 0)
    .toSorted((a, b) => compareVersions(a.name, b.name));
  const nameOf = (version: string) => `${spec.group}/${version} ${spec.names.kind}`;
  const instead = better === undefined ? '' : `; use ${nameOf(better.name)}`;
  return { deprecation: `${nameOf(name)} is deprecated${instead}` };
}

const STANDARD_FINALIZERS = ['orphan', 'foregroundDeletion', 'kubernetes'];

/** What to think of new finalizers (upstream: registry/customresource/validator.go validateKubeFinalizerName). */
export function finalizerWarnings({ metadata }: ApiObject, old?: ApiObject): string[] {
  const before = old?.metadata.finalizers ?? [];
  const added = (metadata.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
  return added.toSorted().flatMap((finalizer) => {
    const shown = `metadata.finalizers: ${JSON.stringify(finalizer)}`;
    const wrong = isQualifiedName(finalizer).map((message) => `${shown}: ${message}`);
    if (finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)) return wrong;
    const path = finalizer.includes('.') ? ' including a path (/)' : '';
    const advice = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
    return [...wrong, `${shown}: ${advice}`];
  });
}

/** True when a webhook converts between versions; none is called here. */
export const convertsByWebhook = ({ spec }: CustomResourceDefinition): boolean =>
  spec.conversion?.strategy === 'Webhook';

/** What the author of a definition is told of formats that nothing is held to, and of versions that aren't served. */
export function definitionWarnings(
  definition: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): string[] {
  const before = old === undefined ? [] : unknownFormats(old);
  const formats = unknownFormats(definition).filter((format) => !before.includes(format));
  return [
    ...formats.map((format) => `unrecognized format ${JSON.stringify(format)}`),
    ...webhookWarning(definition),
  ];
}

function webhookWarning(definition: CustomResourceDefinition): string[] {
  const { versions } = definition.spec;
  const others = versions.filter(({ served, storage }) => served && !storage).map(({ name }) => name);
  if (!convertsByWebhook(definition) || others.length === 0) return [];
  const stored = versions.find(({ storage }) => storage)?.name ?? '';
  return [
    `conversion webhooks are not called by this server: only the storage version ${stored} is served, not ${others.join(', ')}`,
  ];
}

const unknownFormats = ({ spec }: CustomResourceDefinition): string[] =>
  spec.versions.flatMap(({ schema }) => formatsIn(schema?.openAPIV3Schema as StructuralSchema | undefined));

function formatsIn(schema: StructuralSchema | undefined): string[] {
  if (schema === undefined) return [];
  const { format = '', type, items, properties = {}, additionalProperties, not } = schema;
  const { allOf = [], anyOf = [], oneOf = [] } = schema;
  const parts = [items, not, ...Object.values(properties), ...allOf, ...anyOf, ...oneOf];
  const ofMap = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return [
    ...(format === '' || isKnownFormat(type, format) ? [] : [format]),
    ...[...parts, ofMap].flatMap(formatsIn),
  ];
}
