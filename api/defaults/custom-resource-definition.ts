import type { CustomResourceDefinition } from '../types.ts';

/** Source: apiextensions-apiserver pkg/apis/apiextensions/v1/defaults.go. */
export function defaultCustomResourceDefinition(definition: CustomResourceDefinition): void {
  const spec = presentSpec(definition);
  const { names, versions } = spec;
  if (names.kind) {
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
  if ((definition.status?.storedVersions ?? []).length > 0) return;
  const stored = versions.find(({ storage }) => storage);
  if (stored !== undefined) definition.status = { ...definition.status, storedVersions: [stored.name] };
}

/** Fields that must be there but may have been left out are empty, as in Go; the validation tells what is missing. */
function presentSpec(definition: CustomResourceDefinition): CustomResourceDefinition['spec'] {
  const given = definition.spec as Partial<CustomResourceDefinition['spec']> | undefined;
  const empty = { group: '', names: { kind: '', plural: '' }, scope: '', versions: [] };
  return (definition.spec = { ...empty, ...given });
}
