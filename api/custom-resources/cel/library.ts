import type { Environment } from '@marcbachmann/cel-js';
import { EvaluationError } from '@marcbachmann/cel-js';
import { celEquals } from './equality.ts';

/** A function that expressions can call: its signature, and what it does. Integers are bigint, doubles number. */
export type CelFunction = [signature: string, handler: (...args: never[]) => unknown];

/** Some functions, and the types that they are about. */
export interface CelLibrary {
  types?: Record<string, new (...args: never[]) => object>;
  /** Names before a dot that are no value: `sets.contains(…)`. */
  namespaces?: string[];
  functions: CelFunction[];
}

/** Adds a library to an environment. */
export function addLibrary(
  environment: Environment,
  { types = {}, namespaces = [], functions }: CelLibrary,
): void {
  for (const [name, ctor] of Object.entries(types)) {
    environment.registerType(name, { ctor, fields: {} });
    environment.registerOperator(`${name} == ${name}`, celEquals);
    addNullComparison(environment, name);
  }
  for (const name of namespaces) {
    const Namespace = class {};
    environment.registerType(namespaceType(name), { ctor: Namespace, fields: {} });
    environment.registerConstant(name, namespaceType(name), new Namespace());
  }
  for (const [signature, handler] of functions)
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown, { async: false });
}

/** Lets values of a type be compared with null (cel-go: all but plain values, lists and maps can be). */
export function addNullComparison(environment: Environment, type: string): void {
  environment.registerOperator(`${type} == null`, celEquals);
}

/** The type that a namespace's functions are called on. */
const namespaceType = (name: string): string => `Namespace.${name}`;

/** An error that ends the evaluation, in cel-go's words. */
export const evaluationFailure = (message: string): Error => new EvaluationError(message);
