import type { StructuralSchema } from '../../api/schema/structural.ts';
import type { CustomResourceDefinitionVersion } from '../../api/types.ts';
import { nameIsSubdomain } from '../../api/validation/checks.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../api/validation/object-meta.ts';
import type { CustomBehaviour } from '../registry/kind.ts';

/** How the objects of one version of a custom resource are checked (upstream: registry/customresource/validator.go). */
export function customValidation({
  namespaced,
}: {
  schema: StructuralSchema;
  version: CustomResourceDefinitionVersion;
  namespaced: boolean;
}): Pick<CustomBehaviour, 'validate' | 'validateUpdate'> {
  return {
    validate: (object) => validateObjectMeta(object, { namespaced, nameRule: nameIsSubdomain }),
    validateUpdate: (object, old) => validateObjectMetaUpdate(object, old),
  };
}
