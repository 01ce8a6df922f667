import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../../api/types.ts';

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';

/** A version with a schema for spec, and a status of its own. */
export const versionOf = (
  spec: JSONSchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  more: Partial<CustomResourceDefinitionVersion> = {},
): CustomResourceDefinitionVersion => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec,
        status: { type: 'object', properties: { ready: { type: 'boolean' }, replicas: { type: 'integer' } } },
      },
    },
  },
  subresources: { status: {} },
  ...more,
});

/** widgets.example.com, or another plural of that group. */
export const definitionOf = (
  versions: CustomResourceDefinitionVersion[] = [versionOf()],
  { plural = 'widgets', kind = 'Widget', scope = 'Namespaced' } = {},
): CustomResourceDefinition & { metadata: { name: string } } => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.example.com` },
  spec: { group: 'example.com', scope, names: { plural, kind }, versions },
});

export const widget = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, ...metadata },
  spec,
});
