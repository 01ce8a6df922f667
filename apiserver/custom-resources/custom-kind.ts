import { parseJsonPath } from '../../api/json-path.ts';
import type { Schema } from '../../api/schema/schema.ts';
import type { StructuralSchema } from '../../api/custom-resources/structural-schema.ts';
import { structuralSchemaOf } from '../../api/custom-resources/structural-schema.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../api/types.ts';
import type { ApiObject, CustomBehaviour, Kind, Strategy, Subresource } from '../registry/kind.ts';
import { ALL_VERBS, apiVersionOf } from '../registry/kind.ts';
import { customColumns } from './columns.ts';
import { decodeCustomResource } from './decode.ts';
import { applySchemaDefaults } from '../../api/custom-resources/defaulting.ts';
import { pruneObject } from '../../api/custom-resources/prune.ts';
import { isConditionTrue } from './conditions.ts';
import { convertsByWebhook, versionDeprecation, finalizerWarnings } from './warnings.ts';
import { customValidation } from './validation.ts';

/** The records of the table of kinds for all served versions of a definition; `ended` is aborted when they are replaced. */
export const kindsOf = (definition: CustomResourceDefinition, ended: AbortSignal): Kind[] =>
  definition.spec.versions
    .filter(({ served, storage }) => served && (storage || !convertsByWebhook(definition)))
    .map((version) => kindOf({ definition, version, ended }));

/** The record for the version in which objects are stored, whether it is served or not. */
export function storedKindOf(definition: CustomResourceDefinition, ended: AbortSignal): Kind {
  const { versions } = definition.spec;
  const version = versions.find(({ storage }) => storage) ?? versions[0];
  if (version === undefined) throw new Error(`${definition.metadata?.name ?? ''} has no version`);
  return kindOf({ definition, version, ended });
}

interface KindSource {
  definition: CustomResourceDefinition;
  version: CustomResourceDefinitionVersion;
  ended: AbortSignal;
}

function kindOf({ definition, version, ended }: KindSource): Kind {
  const { group, scope, versions } = definition.spec;
  const names = definition.status?.acceptedNames ?? definition.spec.names;
  const schema = structuralSchemaOf(version.schema?.openAPIV3Schema);
  const apiVersion = apiVersionOf({ group, version: version.name });
  const storage = versions.find((other) => other.storage)?.name ?? version.name;
  const storedVersion = apiVersionOf({ group, version: storage });
  const subresources = subresourcesOf(version, names.kind);
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    ...(names.shortNames !== undefined && { shortNames: names.shortNames }),
    ...(names.categories !== undefined && { categories: names.categories }),
    namespaced: scope === 'Namespaced',
    verbs: ALL_VERBS,
    subresources,
    columns: customColumns(version.additionalPrinterColumns),
    strategy: { ...strategyOf(version), warnings: finalizerWarnings, allowUnconditionalUpdate: false },
    ...selectableFieldsOf(version),
    tracksGeneration: true,
    viewOf: {
      group,
      plural: names.plural,
      fromStored: reader({ apiVersion, schema }),
      toStored: (object) => ({ ...object, apiVersion: storedVersion }),
    },
    ...versionDeprecation(version, definition),
    custom: behaviourOf({ definition, version, ended }),
  };
}

/** The object as this version shows it: with its type, without what its schema doesn't know, with defaults added since it was written. */
function reader({ apiVersion, schema }: { apiVersion: string; schema: StructuralSchema }) {
  const known = new WeakMap<ApiObject, ApiObject>();
  return (stored: ApiObject): ApiObject => {
    const present = known.get(stored);
    if (present !== undefined) return present;
    const object = structuredClone(pruneObject(stored, schema)) as ApiObject;
    object.apiVersion = apiVersion;
    applySchemaDefaults(object, schema);
    known.set(stored, object);
    return object;
  };
}

function behaviourOf({ definition, version, ended }: KindSource): CustomBehaviour {
  const schema = structuralSchemaOf(version.schema?.openAPIV3Schema);
  const namespaced = definition.spec.scope === 'Namespaced';
  const scale = version.subresources?.scale;
  return {
    schema: withMetadata(schema),
    decode: (value) => decodeCustomResource(value, schema),
    applyDefaults: (object) => applySchemaDefaults(object, schema),
    ...customValidation({ schema, version, namespaced }),
    isTerminating: isConditionTrue(definition, 'Terminating'),
    ...(scale !== undefined && { scale }),
    ended,
  };
}

const withMetadata = (schema: StructuralSchema): Schema => ({
  ...(schema as Schema),
  properties: {
    ...(schema.properties as Schema['properties']),
    metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
  },
});

/** With a status subresource the object's own path leaves the status alone (upstream: registry/customresource/strategy.go). */
function strategyOf({ subresources }: CustomResourceDefinitionVersion): Strategy {
  if (subresources?.status === undefined) return {};
  return {
    prepareForCreate: (object) => delete object['status'],
    prepareForUpdate(object, old) {
      if (old['status'] === undefined) delete object['status'];
      else object['status'] = old['status'];
    },
  };
}

/** The status path changes the status and nothing else, but for who manages which fields. */
const statusStrategy: Strategy = {
  prepareForUpdate(object, old) {
    const { status, metadata } = object as ApiObject & { status?: unknown };
    for (const field of Object.keys(object)) delete object[field];
    const { status: _status, ...rest } = structuredClone(old) as ApiObject & { status?: unknown };
    Object.assign(object, rest, status !== undefined && { status });
    const { managedFields } = metadata;
    if (managedFields === undefined) delete object.metadata.managedFields;
    else object.metadata.managedFields = managedFields;
  },
};

function subresourcesOf({ subresources }: CustomResourceDefinitionVersion, kind: string): Subresource[] {
  const verbs: Subresource['verbs'] = ['get', 'patch', 'update'];
  return [
    ...(subresources?.status === undefined
      ? []
      : [{ name: 'status', kind, verbs, strategy: statusStrategy }]),
    ...(subresources?.scale === undefined
      ? []
      : [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs }]),
  ];
}

function selectableFieldsOf({ selectableFields = [] }: CustomResourceDefinitionVersion) {
  const fields = selectableFields.map(({ jsonPath }) => ({
    name: jsonPath.replace(/^\./, ''),
    path: parseJsonPath(jsonPath),
  }));
  return {
    selectableFields: (object: ApiObject) =>
      Object.fromEntries(fields.map(({ name, path }) => [name, textOf(path(object)[0])])),
  };
}

/** Only text, numbers and booleans can be selected. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
