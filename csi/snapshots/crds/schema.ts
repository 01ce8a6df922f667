import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
  ValidationRule,
} from '../../../api/types.ts';

/** A string; `more` adds format, pattern, enum or rules. */
export const text = (description: string, more: JSONSchemaProps = {}): JSONSchemaProps => ({
  description,
  type: 'string',
  ...more,
});

export const flag = (description: string): JSONSchemaProps => ({ description, type: 'boolean' });

export const int64 = (description: string, more: JSONSchemaProps = {}): JSONSchemaProps => ({
  description,
  type: 'integer',
  format: 'int64',
  ...more,
});

/** An RFC 3339 time. */
export const time = (description: string): JSONSchemaProps => text(description, { format: 'date-time' });

export const object = (
  description: string,
  properties: Record<string, JSONSchemaProps>,
  more: JSONSchemaProps = {},
): JSONSchemaProps => ({ description, type: 'object', properties, ...more });

export const list = (
  description: string,
  items: JSONSchemaProps,
  more: JSONSchemaProps = {},
): JSONSchemaProps => ({ description, type: 'array', items, ...more });

/** A map of strings to strings. */
export const textMap = (description: string, more: JSONSchemaProps = {}): JSONSchemaProps => ({
  description,
  type: 'object',
  additionalProperties: { type: 'string' },
  ...more,
});

/** CEL rules on a value. */
export const rules = (...validations: ValidationRule[]): JSONSchemaProps => ({
  'x-kubernetes-validations': validations,
});

/** The value may not change; `words` are said after the field's name. */
export const immutable = (field: string, words = 'is immutable'): ValidationRule => ({
  message: `${field} ${words}`,
  rule: 'self == oldSelf',
});

/** On the field's parent: it may not be taken away again. */
export const requiredOnceSet = (field: string): ValidationRule => ({
  message: `${field} is required once set`,
  rule: `!has(oldSelf.${field}) || has(self.${field})`,
});

/** On the fields' parent. */
export const exactlyOneOf = (first: string, second: string): ValidationRule => ({
  message: `exactly one of ${first} and ${second} must be set`,
  rule: `(has(self.${first}) && !has(self.${second})) || (!has(self.${first}) && has(self.${second}))`,
});

export const notEmpty = (field: string): ValidationRule => ({
  message: `${field} must not be the empty string when set`,
  rule: 'size(self) > 0',
});

/** A core/v1 ObjectReference. */
export const objectReference = (description: string, validations: ValidationRule[]): JSONSchemaProps =>
  object(
    description,
    {
      apiVersion: text('The API version of the object.'),
      fieldPath: text('A part of the object, such as spec.containers{name}. Not used here.'),
      kind: text('The kind of the object.'),
      name: text('The name of the object.'),
      namespace: text('The namespace of the object.'),
      resourceVersion: text('The resourceVersion that is meant, if one is.'),
      uid: text('The UID of the object: tells it from a later one of the same name.'),
    },
    { 'x-kubernetes-map-type': 'atomic', ...rules(...validations) },
  );

export const deletionPolicy = (description: string, more: JSONSchemaProps = {}): JSONSchemaProps =>
  text(description, { enum: ['Delete', 'Retain'], ...more });

/** The last error of a snapshot, `{message, time}`. */
export const lastError = (description: string): JSONSchemaProps =>
  object(description, {
    message: text('What went wrong. It may be logged, so nothing secret belongs here.'),
    time: time('When it went wrong.'),
  });

/** A whole object: apiVersion, kind and metadata come by themselves. */
export const rootObject = (
  description: string,
  properties: Record<string, JSONSchemaProps>,
  required: string[],
): { openAPIV3Schema: JSONSchemaProps } => ({
  openAPIV3Schema: object(
    description,
    {
      apiVersion: text('The group and version of this object, such as group/v1.'),
      kind: text('The kind of this object.'),
      metadata: { type: 'object' },
      ...properties,
    },
    { required },
  ),
});

export const column = (
  name: string,
  type: 'boolean' | 'string' | 'integer' | 'date',
  jsonPath: string,
  description?: string,
): CustomResourceColumnDefinition => ({
  name,
  type,
  jsonPath,
  ...(description === undefined ? {} : { description }),
});

export const ageColumn = column('Age', 'date', '.metadata.creationTimestamp');

export interface CrdOptions {
  group: string;
  kind: string;
  plural: string;
  shortNames: string[];
  scope: 'Namespaced' | 'Cluster';
  /** A pull request in which upstream approved the API: groups below k8s.io need it (KEP-1111). */
  approved: string;
  versions: CustomResourceDefinitionVersion[];
}

export const crd = ({
  group,
  kind,
  plural,
  shortNames,
  scope,
  approved,
  versions,
}: CrdOptions): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${plural}.${group}`,
    annotations: { 'api-approved.kubernetes.io': approved },
  },
  spec: {
    group,
    names: { kind, listKind: `${kind}List`, plural, shortNames, singular: kind.toLowerCase() },
    scope,
    versions,
  },
});
