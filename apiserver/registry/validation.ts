import type { KubernetesObject } from '../../api/types.ts';
import type { FieldError } from '../../api/validation/field-error.ts';

type Validate = (object: KubernetesObject) => FieldError[];
type ValidateUpdate = (object: KubernetesObject, old: KubernetesObject) => FieldError[];
export const validateNone: Validate = () => [];
export const validateUpdateNone: ValidateUpdate = () => [];
