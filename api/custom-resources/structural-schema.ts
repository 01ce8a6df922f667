import type { JSONSchemaProps } from '../types.ts';

/**
 * The schema of a custom resource: OpenAPI v3 in the structural form that apiextensions.k8s.io/v1 asks for
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
 */
export interface StructuralSchema extends Omit<
  JSONSchemaProps,
  'items' | 'additionalProperties' | 'properties' | 'allOf' | 'anyOf' | 'oneOf' | 'not'
> {
  properties?: Record<string, StructuralSchema>;
  /** One schema for all items; the form with a list of schemas is refused. */
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema | boolean;
  allOf?: StructuralSchema[];
  anyOf?: StructuralSchema[];
  oneOf?: StructuralSchema[];
  not?: StructuralSchema;
}

/** Reads the schema of a definition's version; one without a schema keeps everything. */
export const structuralSchemaOf = (schema: JSONSchemaProps | undefined): StructuralSchema =>
  (schema as StructuralSchema | undefined) ?? { 'x-kubernetes-preserve-unknown-fields': true };

/** The schema of a map's field: the property's own, or the one for all others. */
export function schemaOfField(
  schema: StructuralSchema | undefined,
  field: string,
): StructuralSchema | undefined {
  const { properties, additionalProperties } = schema ?? {};
  if (properties !== undefined && Object.hasOwn(properties, field)) return properties[field];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
