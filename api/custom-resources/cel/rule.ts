import type { Environment } from '@marcbachmann/cel-js';
import { Optional } from '@marcbachmann/cel-js';
import type { ValidationRule } from '../../types.ts';
import { readFieldPath } from '../definition/field-path.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { compilationIssue } from './issues.ts';
import { withMacros } from './macros.ts';
import type { CelType } from './types.ts';

/** A rule that can be evaluated. */
export interface CompiledRule {
  rule: ValidationRule;
  /** It compares with the value before an update. */
  usesOldSelf: boolean;
  /** Why it doesn't compile; such a rule refuses every object. */
  error: string | undefined;
  messageError: string | undefined;
  /** The field below the schema's own that a failure is told of, e.g. `.spec.x`. */
  fieldPath: string;
  /** Throws what the package throws for an evaluation that fails. `oldSelf` is undefined on a create. */
  holds(self: unknown, oldSelf: unknown): boolean;
  /** The message that the rule's messageExpression makes; undefined when it makes none. */
  message(self: unknown, oldSelf: unknown): string | undefined;
}

/** Compiles one of a schema's rules (upstream: pkg/apiserver/schema/cel/compilation.go). */
export function compileRule(
  rule: ValidationRule,
  { environment, type, schema }: { environment: Environment; type: CelType; schema: StructuralSchema },
): CompiledRule {
  const isOptional = rule.optionalOldSelf === true;
  const own = environment.clone();
  own.registerVariable('self', type.name);
  own.registerVariable('oldSelf', isOptional ? `optional<${type.name}>` : type.name);
  const contextOf = (self: unknown, oldSelf: unknown) => ({
    self,
    oldSelf: isOptional ? (oldSelf === undefined ? Optional.none() : Optional.of(oldSelf)) : oldSelf,
  });
  const condition = compile(own, rule.rule, 'bool');
  const text = rule.messageExpression ? compile(own, rule.messageExpression, 'string') : undefined;
  return {
    rule,
    usesOldSelf: /\boldSelf\b/.test(withoutText(rule.rule)),
    error: condition.error,
    messageError: text?.error === undefined ? undefined : `messageExpression ${text.error}`,
    fieldPath: rule.fieldPath ? pathOf(rule.fieldPath, schema) : '',
    holds: (self, oldSelf) => condition.evaluate(contextOf(self, oldSelf)) === true,
    message: (self, oldSelf) => messageOf(text?.evaluate(contextOf(self, oldSelf))),
  };
}

interface Compiled {
  error: string | undefined;
  evaluate(context: Record<string, unknown>): unknown;
}

function compile(environment: Environment, expression: string, expected: 'bool' | 'string'): Compiled {
  const refused = (error: string): Compiled => ({ error, evaluate: () => undefined });
  const text = withMacros(expression);
  const result = environment.check(text);
  if (!result.valid) return refused(`compilation failed: ${compilationIssue(result.error, expression)}`);
  if (result.type !== expected && !result.type?.startsWith('dyn'))
    return refused(
      expected === 'bool' ? 'cel expression must evaluate to a bool' : 'must evaluate to a string',
    );
  return { error: undefined, evaluate: environment.parse(text) };
}

/** As upstream: one line that isn't empty, at most 5 KiB. */
function messageOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || /[\r\n]/.test(text) || Buffer.byteLength(text) > 5 * 1024 ? undefined : text;
}

/** The expression without its string literals. */
const withoutText = (expression: string): string =>
  expression.replaceAll(/("""[^]*?"""|'''[^]*?'''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g, '""');

const pathOf = (path: string, schema: StructuralSchema): string => {
  try {
    readFieldPath(path, schema);
    return path.replaceAll(/\['((?:[^'\\]|\\.)*)'\]/g, '[$1]');
  } catch {
    // The definition was accepted with it by an older rule: the failure is told of the schema's own field.
    return '';
  }
};
