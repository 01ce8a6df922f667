import type { Schema } from './schema.ts';

export const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
export const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
export const time = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
export const microTime = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';
export const rawExtension = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** The definitions that the client package has no model for, because they are no plain structs. */
export const basicDefinitions: Record<string, Schema> = {
  [quantity]: {
    description:
      'Quantity is an exact number with an optional suffix: a binary one (Ki, Mi, Gi, Ti, Pi, Ei), a decimal one (n, u, m, k, M, G, T, P, E) or an exponent (e3, E3). It is written back in canonical form: no fraction, and the largest suffix that keeps it exact (1.5 is 1500m, 1.5Gi is 1536Mi).',
    type: 'string',
  },
  [intOrString]: {
    description: 'IntOrString is an int32 or a string, such as the number or the name of a port.',
    type: 'string',
    format: 'int-or-string',
  },
  [time]: { description: 'Time is an RFC 3339 time with seconds.', type: 'string', format: 'date-time' },
  [microTime]: {
    description: 'MicroTime is an RFC 3339 time with microseconds.',
    type: 'string',
    format: 'date-time',
  },
  [rawExtension]: {
    description: 'RawExtension holds any object, of a type that the holder does not know.',
    type: 'object',
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': {
    description:
      'FieldsV1 is a set of fields as a tree. A key is `.` (the field itself), or `f:` and the name of a field, `k:` and the keys of a list item, `v:` and the value of a list item, or `i:` and a position in a list.',
    type: 'object',
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': {
    description: 'Patch is the body of a PATCH request.',
    type: 'object',
  },
  'io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec': {
    description: 'StorageVersionSpec is an empty spec.',
    type: 'object',
  },
  'io.k8s.api.scheduling.v1alpha2.BasicSchedulingPolicy': {
    description: 'BasicSchedulingPolicy schedules the pods of a group one by one.',
    type: 'object',
  },
  [`${extensions}.CustomResourceSubresourceStatus`]: {
    description: 'CustomResourceSubresourceStatus serves the status of a custom resource at /status.',
    type: 'object',
  },
  [`${extensions}.JSON`]: { description: 'JSON is any JSON value.' },
  [`${extensions}.JSONSchemaPropsOrArray`]: {
    description: 'JSONSchemaPropsOrArray is a schema or a list of schemas.',
  },
  [`${extensions}.JSONSchemaPropsOrBool`]: { description: 'JSONSchemaPropsOrBool is a schema or a boolean.' },
  [`${extensions}.JSONSchemaPropsOrStringArray`]: {
    description: 'JSONSchemaPropsOrStringArray is a schema or a list of strings.',
  },
};
