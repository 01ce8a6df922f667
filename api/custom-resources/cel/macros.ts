import type { Environment } from '@marcbachmann/cel-js';
import { Optional } from '@marcbachmann/cel-js';
import { matches } from './text-functions.ts';

/** What the package hands to macros: parts of an expression, and those that check and run them. */
interface Node {
  op: string;
  args: unknown;
}

interface Type {
  name: string;
  kind: string;
  keyType?: Type;
  valueType?: Type;
}

interface Scope {
  forkWithVariable(name: string, type: Type): BoundScope;
}

interface BoundScope extends Scope {
  reuse(parent: Scope): BoundScope;
  setIterValue(value: unknown, evaluator: Evaluator): BoundScope;
}

interface Checker {
  check(node: Node, scope: Scope): Type;
  getType(name: string): Type;
  createError(code: string, message: string, node: Node): Error;
}

interface Evaluator {
  run(node: Node, scope: Scope): unknown;
}

interface Call {
  ast: Node;
  args: Node[];
  receiver: Node;
}

/** A macro's call after parsing; the checker leaves the scopes in it that the evaluator needs. */
interface Macro extends Call {
  scopes: BoundScope[];
  typeCheck(checker: Checker, macro: Macro, scope: Scope): Type;
  evaluate(evaluator: Evaluator, macro: Macro, scope: Scope): unknown;
}

type MacroDefinition = Pick<Macro, 'typeCheck' | 'evaluate'>;

/** A macro takes a call by name and number of arguments, whatever it is called on: the signature's type only sets it apart. */
function addMacro(environment: Environment, signature: string, definition: MacroDefinition): void {
  const expand = (call: Call): Macro => ({ ...call, scopes: [], ...definition });
  environment.registerFunction(signature, expand as (call: unknown) => unknown, { async: false });
}

/** Adds what can only be done by macros: new variables, and functions that replace the package's own. */
export function addMacros(environment: Environment): void {
  addMacro(environment, `${HAS}(ast): bool`, hasField);
  addMacro(environment, 'bool.matches(ast): bool', regexMatches);
  addMacro(environment, 'optional.optMap(ast, ast): optional<dyn>', optMap(false));
  addMacro(environment, 'optional.optFlatMap(ast, ast): optional<dyn>', optMap(true));
  addMacro(
    environment,
    'bool.all(ast, ast, ast): bool',
    quantifier((results) => results.every(Boolean)),
  );
  addMacro(
    environment,
    'bool.exists(ast, ast, ast): bool',
    quantifier((results) => results.some(Boolean)),
  );
  for (const name of ['existsOne', 'exists_one'])
    addMacro(
      environment,
      `bool.${name}(ast, ast, ast): bool`,
      quantifier((results) => results.filter(Boolean).length === 1),
    );
  addMacro(environment, 'bool.existsOne(ast, ast): bool', existsOne);
  addMacro(environment, 'bool.transformList(ast, ast, ast): list', transformList);
  addMacro(environment, 'bool.transformMap(ast, ast, ast): map', transformMap);
}

/** What `has` is called in an expression that is handed to the package; as long, so that errors tell the right place. */
const HAS = 'hAs';

const TEXT_OR_HAS = /"""[^]*?"""|'''[^]*?'''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\bhas(?=\s*\()/g;

/** The expression with our own macro for the package's `has`, which takes no fields of list items or of what functions return. */
export const withMacros = (expression: string): string =>
  expression.replaceAll(TEXT_OR_HAS, (text) => (text === 'has' ? HAS : text));

const hasField: MacroDefinition = {
  typeCheck(checker, { args: [selection], ast }, scope) {
    if (selection?.op !== '.')
      throw checker.createError(
        'invalid_macro_argument',
        'invalid argument to has() macro',
        selection ?? ast,
      );
    checker.check(selection, scope);
    return checker.getType('bool');
  },
  evaluate(evaluator, { args: [selection], ast }, scope) {
    const [operand, field] = (selection ?? ast).args as [Node, string];
    const value = evaluator.run(operand, scope);
    if (value instanceof Map) return value.has(field);
    return typeof value === 'object' && value !== null && Object.hasOwn(value, field);
  },
};

/** The package matches with the machine's own regular expressions, which a pattern can make run for ever: RE2 cannot be made to. */
const regexMatches: MacroDefinition = {
  typeCheck(checker, { receiver, args, ast }, scope) {
    const types = [receiver, ...args].map((node) => checker.check(node, scope).name);
    if (types.every((name) => name === 'string' || name.startsWith('dyn'))) return checker.getType('bool');
    const given = `${types[0] ?? ''}.matches(${types[1] ?? ''})`;
    throw checker.createError('no_matching_overload', `found no matching overload for '${given}'`, ast);
  },
  evaluate(evaluator, { receiver, args: [pattern] }, scope) {
    const text = evaluator.run(receiver, scope) as string;
    return matches(text, pattern === undefined ? '' : (evaluator.run(pattern, scope) as string));
  },
};

function variableName(checker: Checker, node: Node | undefined): string {
  if (node?.op === 'id') return node.args as string;
  throw checker.createError(
    'invalid_macro_argument',
    'argument must be a simple name',
    node ?? { op: '', args: '' },
  );
}

/** `optional.optMap(x, f(x))`: a value's successor, or none of none. */
const optMap = (isFlat: boolean): MacroDefinition => ({
  typeCheck(checker, macro, scope) {
    const optional = checker.check(macro.receiver, scope);
    const bound = scope.forkWithVariable(
      variableName(checker, macro.args[0]),
      optional.valueType ?? checker.getType('dyn'),
    );
    macro.scopes = [bound];
    const result = checker.check(macro.args[1] ?? macro.ast, bound);
    return isFlat ? result : checker.getType(`optional<${result.name}>`);
  },
  evaluate(evaluator, macro, scope) {
    const optional = evaluator.run(macro.receiver, scope) as Optional;
    if (!optional.hasValue()) return optional;
    const bound = macro.scopes[0]?.reuse(scope).setIterValue(optional.value(), evaluator);
    const result = evaluator.run(macro.args[1] ?? macro.ast, bound ?? scope);
    return isFlat ? result : Optional.of(result);
  },
});

/** Binds key and value of a map, or index and item of a list. */
function checkTwo(checker: Checker, macro: Macro, scope: Scope): Type {
  const range = checker.check(macro.receiver, scope);
  const dyn = checker.getType('dyn');
  const key = range.kind === 'list' ? checker.getType('int') : (range.keyType ?? dyn);
  const outer = scope.forkWithVariable(variableName(checker, macro.args[0]), key);
  const inner = outer.forkWithVariable(variableName(checker, macro.args[1]), range.valueType ?? dyn);
  macro.scopes = [outer, inner];
  return checker.check(macro.args[2] ?? macro.ast, inner);
}

function* evaluateTwo(evaluator: Evaluator, macro: Macro, scope: Scope): Generator<[unknown, unknown]> {
  const [outer, inner] = macro.scopes;
  if (outer === undefined || inner === undefined) return;
  for (const [key, value] of entriesOf(evaluator.run(macro.receiver, scope))) {
    const bound = outer.reuse(scope).setIterValue(key, evaluator);
    yield [key, evaluator.run(macro.args[2] ?? macro.ast, inner.reuse(bound).setIterValue(value, evaluator))];
  }
}

function entriesOf(range: unknown): [unknown, unknown][] {
  if (Array.isArray(range)) return range.map((item, index): [unknown, unknown] => [BigInt(index), item]);
  return range instanceof Map ? [...range] : Object.entries(range as object);
}

const quantifier = (decide: (results: unknown[]) => boolean): MacroDefinition => ({
  typeCheck(checker, macro, scope) {
    checkTwo(checker, macro, scope);
    return checker.getType('bool');
  },
  evaluate: (evaluator, macro, scope) =>
    decide(Array.from(evaluateTwo(evaluator, macro, scope), ([, result]) => result)),
});

const existsOne: MacroDefinition = {
  typeCheck(checker, macro, scope) {
    const range = checker.check(macro.receiver, scope);
    const type = (range.kind === 'map' ? range.keyType : range.valueType) ?? checker.getType('dyn');
    macro.scopes = [scope.forkWithVariable(variableName(checker, macro.args[0]), type)];
    checker.check(macro.args[1] ?? macro.ast, macro.scopes[0] ?? scope);
    return checker.getType('bool');
  },
  evaluate(evaluator, macro, scope) {
    const range = evaluator.run(macro.receiver, scope);
    const items = Array.isArray(range) ? (range as unknown[]) : entriesOf(range).map(([key]) => key);
    const bound = macro.scopes[0];
    if (bound === undefined) return false;
    const predicate = macro.args[1] ?? macro.ast;
    return (
      items.filter(
        (item) => evaluator.run(predicate, bound.reuse(scope).setIterValue(item, evaluator)) === true,
      ).length === 1
    );
  },
};

const transformList: MacroDefinition = {
  typeCheck: (checker, macro, scope) => checker.getType(`list<${checkTwo(checker, macro, scope).name}>`),
  evaluate: (evaluator, macro, scope) =>
    Array.from(evaluateTwo(evaluator, macro, scope), ([, result]) => result),
};

const transformMap: MacroDefinition = {
  typeCheck(checker, macro, scope) {
    const value = checkTwo(checker, macro, scope);
    const range = checker.check(macro.receiver, scope);
    const key = range.kind === 'list' ? 'int' : (range.keyType?.name ?? 'dyn');
    return checker.getType(`map<${key}, ${value.name}>`);
  },
  evaluate: (evaluator, macro, scope) => new Map(evaluateTwo(evaluator, macro, scope)),
};
