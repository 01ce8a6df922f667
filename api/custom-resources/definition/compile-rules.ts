import type { FieldError } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';

/** Checks that the rules of a schema compile. */
export const compileRules = (_schema: StructuralSchema, _path: string): FieldError[] => [];
