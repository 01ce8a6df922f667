import { isDeepStrictEqual } from 'node:util';
import type { ValidationRule } from '../../types.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { duplicate, forbidden, invalid, omitted, required } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { schemaOfField } from '../structural-schema.ts';
import { isMap } from '../values.ts';
import type { Old } from '../validation/node.ts';
import { oldItem } from '../validation/correlation.ts';
import { childField } from '../validation/list-types.ts';
import { NO_FIELD } from '../validation/schema-outcome.ts';
import { mayTakeLong, OutOfBudget, RULES_LIMIT_MS, runWithin } from './budget.ts';
import { evaluationIssue } from './issues.ts';
import type { CompiledRule } from './rule.ts';
import { compileRule } from './rule.ts';
import type { CelType } from './types.ts';
import { SchemaTypes } from './types.ts';

/** The rules of one part of a schema, compiled, and the parts below it that have some. */
export interface RuleNode {
  schema: StructuralSchema;
  type: CelType;
  rules: CompiledRule[];
}

/** A value that rules are held to. */
interface Subject {
  value: unknown;
  old: Old | undefined;
  field: string;
  /** The nearest value that can be compared with what it was has not changed: what was wrong may stay. */
  isUnchanged: boolean;
}

/** True when a schema has rules anywhere. */
export const hasRules = (schema: StructuralSchema): boolean => rulesIn(schema).length > 0;

function rulesIn(schema: StructuralSchema): ValidationRule[] {
  const { items, properties = {}, additionalProperties } = schema;
  return [
    ...(schema['x-kubernetes-validations'] ?? []),
    ...(items === undefined ? [] : rulesIn(items)),
    ...Object.values(properties).flatMap(rulesIn),
    ...(typeof additionalProperties === 'object' ? rulesIn(additionalProperties) : []),
  ];
}

/** Holds objects to the x-kubernetes-validations of their schema (upstream: pkg/apiserver/schema/cel/validation.go). */
export class RuleValidator {
  readonly #schema: StructuralSchema;
  readonly #types: SchemaTypes;
  readonly #mayTakeLong: boolean;
  readonly #nodes = new Map<StructuralSchema, RuleNode | undefined>();
  readonly #withRules = new WeakMap<StructuralSchema, boolean>();

  constructor(schema: StructuralSchema) {
    this.#schema = schema;
    this.#types = new SchemaTypes(schema);
    this.#mayTakeLong = rulesIn(schema).some(
      ({ rule, messageExpression = '' }) => mayTakeLong(rule) || mayTakeLong(messageExpression),
    );
  }

  /** The errors of an object; `old` is what it was before an update. */
  validate(value: unknown, old?: unknown): FieldError[] {
    const errors: FieldError[] = [];
    const root: Subject = {
      value,
      old: old === undefined ? undefined : { value: old },
      field: '',
      isUnchanged: old !== undefined && isDeepStrictEqual(old, value),
    };
    try {
      // The watch is a thread of its own: most rules do without.
      const visit = () => this.#visit(this.#schema, root, errors);
      if (this.#mayTakeLong) runWithin(RULES_LIMIT_MS, visit);
      else visit();
    } catch (error) {
      if (!(error instanceof OutOfBudget)) throw error;
      errors.push(invalid(NO_FIELD, this.#schema.type ?? '', error.message));
    }
    return errors;
  }

  /** The compiled rules of a schema's part; undefined when it has none or rules cannot see it. */
  nodeOf(schema: StructuralSchema): RuleNode | undefined {
    if (this.#nodes.has(schema)) return this.#nodes.get(schema);
    const rules = schema['x-kubernetes-validations'] ?? [];
    const type = rules.length === 0 ? undefined : this.#types.typeOf(schema);
    const { environment } = this.#types;
    const node =
      type === undefined
        ? undefined
        : { schema, type, rules: rules.map((rule) => compileRule(rule, { environment, type, schema })) };
    this.#nodes.set(schema, node);
    return node;
  }

  #visit(schema: StructuralSchema, subject: Subject, errors: FieldError[]): void {
    if (subject.value === null || !this.#hasRules(schema)) return;
    const node = this.nodeOf(schema);
    if (node !== undefined) errors.push(...evaluate(node, subject));
    const { value } = subject;
    if (Array.isArray(value)) this.#visitItems(schema, value, subject, errors);
    else if (isMap(value)) this.#visitFields(schema, value, subject, errors);
  }

  #visitItems(schema: StructuralSchema, list: unknown[], subject: Subject, errors: FieldError[]): void {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, value] of list.entries()) {
      const old = oldItem(subject.old, { schema, item: value });
      this.#visit(items, below(subject, { value, old, field: `${subject.field}[${index}]` }), errors);
    }
  }

  #visitFields(
    schema: StructuralSchema,
    map: Record<string, unknown>,
    subject: Subject,
    errors: FieldError[],
  ): void {
    const before = subject.old?.value;
    for (const [name, value] of Object.entries(map)) {
      const known = schemaOfField(schema, name);
      if (known === undefined) continue;
      const old = isMap(before) && Object.hasOwn(before, name) ? { value: before[name] } : undefined;
      this.#visit(
        known,
        below(subject, { value, old, field: childField(schema, subject.field, name) }),
        errors,
      );
    }
  }

  #hasRules(schema: StructuralSchema): boolean {
    let known = this.#withRules.get(schema);
    if (known === undefined) this.#withRules.set(schema, (known = hasRules(schema)));
    return known;
  }
}

const below = (parent: Subject, child: Omit<Subject, 'isUnchanged'>): Subject => ({
  ...child,
  isUnchanged: child.old === undefined ? parent.isUnchanged : isDeepStrictEqual(child.old.value, child.value),
});

function evaluate({ schema, type, rules }: RuleNode, subject: Subject): FieldError[] {
  const self = type.toCel(subject.value);
  const before = subject.old?.value;
  const oldSelf = before === undefined || before === null ? undefined : type.toCel(before);
  const shown = schema.type ?? '';
  return rules.flatMap((compiled) => {
    const { rule, usesOldSelf, error } = compiled;
    const field = subject.field === '' ? NO_FIELD : subject.field;
    if (error !== undefined) return [invalid(field, shown, `rule compile error: ${error}`)];
    if (usesOldSelf && oldSelf === undefined && rule.optionalOldSelf !== true) return [];
    try {
      if (compiled.holds(self, oldSelf)) return [];
    } catch (failure) {
      return [invalid(field, shown, describeFailure(failure, rule))];
    }
    if (!usesOldSelf && subject.isUnchanged) return [];
    const detail = messageOf(compiled, self, oldSelf);
    return [failureOf(compiled, { ...subject, detail, isWhole: shown === 'object' || shown === 'array' })];
  });
}

function describeFailure(failure: unknown, rule: ValidationRule): string {
  const issue = evaluationIssue(failure);
  if (!issue.startsWith('no such overload') && !issue.startsWith('found no matching overload'))
    return `${issue} evaluating rule: ${nameOf(rule)}`;
  return `'${issue}': call arguments did not match a supported operator, function or macro signature for rule: ${nameOf(rule)}`;
}

/** A rule as failures of its evaluation call it. */
const nameOf = ({ rule, message = '' }: ValidationRule): string =>
  message.trim() === '' ? rule.trim() : message.trim();

function messageOf(compiled: CompiledRule, self: unknown, oldSelf: unknown): string {
  const { rule } = compiled;
  try {
    const made = compiled.message(self, oldSelf);
    if (made !== undefined) return made;
  } catch {
    // A message that cannot be made gives way to the rule's own.
  }
  const message = rule.message?.trim() ?? '';
  return message === '' ? `failed rule: ${rule.rule.trim()}` : message;
}

function failureOf(
  { rule, fieldPath }: CompiledRule,
  { field, value, detail, isWhole }: { field: string; value: unknown; detail: string; isWhole: boolean },
): FieldError {
  const at = (field + fieldPath).replace(/^\./, '') || NO_FIELD;
  const shown = isWhole ? omitted : value;
  switch (rule.reason ?? 'FieldValueInvalid') {
    case 'FieldValueForbidden':
      return forbidden(at, detail);
    case 'FieldValueRequired':
      return required(at, detail);
    case 'FieldValueDuplicate':
      return duplicate(at, shown);
    default:
      return invalid(at, shown, detail);
  }
}
