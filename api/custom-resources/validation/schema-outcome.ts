import type { FieldError } from '../../validation/field-error.ts';
import { invalid } from '../../validation/field-error.ts';

/**
 * What checking a value against a schema found. `matches` counts the checks that were made and passed: of several alternatives, the one
 * that matches best tells what is wrong (upstream: kube-openapi pkg/validation/validate Result).
 */
export interface Outcome {
  errors: FieldError[];
  matches: number;
}

export const passed = (matches = 1): Outcome => ({ errors: [], matches });

export const failed = (...errors: FieldError[]): Outcome => ({ errors, matches: 0 });

export const isValid = ({ errors }: Outcome): boolean => errors.length === 0;

/** All of them together. */
export const merged = (...outcomes: Outcome[]): Outcome => ({
  errors: outcomes.flatMap(({ errors }) => errors),
  matches: outcomes.reduce((sum, { matches }) => sum + matches, 0),
});

/** The field of an error that belongs to no field, in Go's words. */
export const NO_FIELD = '<nil>';

/** An error that upstream tells without its field: of anyOf, oneOf, allOf and not. */
export const withoutField = (root: string, message: string): FieldError =>
  invalid(root === '' ? NO_FIELD : root, '', message);
