/** A group, version and kind. The core group is `''`. */
export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/**
 * A schema of an OpenAPI document, as far as Kubernetes uses it (OpenAPI 2.0 and 3.0, and the `x-kubernetes-` extensions of
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy).
 */
export interface Schema {
  description?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  format?: string;
  /** `#/definitions/NAME` in OpenAPI v2 documents, `#/components/schemas/NAME` in v3 ones. */
  $ref?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  not?: Schema;
  default?: unknown;
  enum?: unknown[];
  nullable?: boolean;
  'x-kubernetes-group-version-kind'?: GroupVersionKind[];
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
}

/** The prefix of references between definitions. */
export const definitionPrefix = '#/definitions/';

/** The name that a reference names, of either OpenAPI version. */
export function referencedName(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}
