import type { FieldError } from '../../validation/field-error.ts';
import { invalid } from '../../validation/field-error.ts';
import { compilePattern } from '../patterns.ts';
import type { StructuralSchema } from '../structural-schema.ts';

/** A pattern must be a regular expression. */
export function checkPattern({ pattern = '' }: StructuralSchema, path: string): FieldError[] {
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${why}`)];
  }
}
