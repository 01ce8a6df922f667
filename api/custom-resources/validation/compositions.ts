import { quote } from '../../go-format.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import type { Node } from './node.ts';
import type { Outcome } from './schema-outcome.ts';
import { failed, isValid, merged, passed, withoutField } from './schema-outcome.ts';

/** allOf, anyOf, oneOf and not; `check` holds the value to one of their schemas. */
export function compositions(
  schema: StructuralSchema,
  node: Node,
  check: (schema: StructuralSchema) => Outcome,
): Outcome {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema;
  return merged(
    ...(anyOf.length > 0 ? [checkAny(anyOf.map(check), node)] : []),
    ...(oneOf.length > 0 ? [checkOne(oneOf.map(check), node)] : []),
    ...(allOf.length > 0 ? [checkAll(allOf.map(check), node)] : []),
    ...(not !== undefined && isValid(check(not)) ? [wrong(node, 'must not validate the schema (not)')] : []),
    passed(),
  );
}

const wrong = ({ path, root }: Node, message: string): Outcome =>
  failed(withoutField(root, `${quote(path)} ${message}`));

/** The failure that comes nearest to a match. */
const bestOf = (outcomes: Outcome[]): Outcome =>
  outcomes.reduce((best, outcome) => (outcome.matches > best.matches ? outcome : best));

function checkAny(outcomes: Outcome[], node: Node): Outcome {
  const good = outcomes.find(isValid);
  return good ?? merged(wrong(node, 'must validate at least one schema (anyOf)'), bestOf(outcomes));
}

function checkOne(outcomes: Outcome[], node: Node): Outcome {
  const good = outcomes.filter(isValid);
  const [only] = good;
  if (only !== undefined && good.length === 1) return only;
  const found = good.length === 0 ? 'Found none valid' : `Found ${good.length} valid alternatives`;
  const refused = wrong(node, `must validate one and only one schema (oneOf). ${found}`);
  return good.length === 0 ? merged(refused, bestOf(outcomes)) : refused;
}

function checkAll(outcomes: Outcome[], node: Node): Outcome {
  const good = outcomes.filter(isValid).length;
  if (good === outcomes.length) return merged(...outcomes);
  const none = good === 0 ? '. None validated' : '';
  return merged(...outcomes, wrong(node, `must validate all the schemas (allOf)${none}`));
}
