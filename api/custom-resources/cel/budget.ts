import { createContext, Script } from 'node:vm';

/** All rules of one object may take so long together; upstream's cost budget is meant to be about as much. */
export const RULES_LIMIT_MS = 1000;

const script = new Script('run()');
const sandbox: { run?: () => void } = {};
const context = createContext(sandbox);

/** What goes through lists and maps, perhaps through one for each item of another. */
const LOOPS = /\.(all|exists|exists_one|existsOne|map|filter|transform\w*|distinct)\s*\(|\bsets\.|\blists\./;

/** True for an expression whose evaluation takes longer than its input is long: only such a one needs a watch. */
export const mayTakeLong = (expression: string): boolean => LOOPS.test(expression);

/** Runs a function that doesn't wait; throws OutOfBudget when it takes longer, wherever it is then. */
export function runWithin<T>(timeoutMs: number, run: () => T): T {
  const outcome: { value?: T } = {};
  sandbox.run = () => void (outcome.value = run());
  try {
    script.runInContext(context, { timeout: timeoutMs });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new OutOfBudget();
    throw error;
  }
  return outcome.value as T;
}

/** The rules took too long. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}
