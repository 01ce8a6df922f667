import type { EnvVar } from '../../api/types.ts';
import { expand, mappingOf } from '../environment/expansion.ts';

/** `$(NAME)` in a probe's command, from the variables that stand in the spec with a value. */
export function expandStatic(command: string[], env: EnvVar[]): string[] {
  const mapping = mappingOf(new Map(env.map(({ name, value }) => [name, value ?? ''])));
  return command.map((word) => expand(word, mapping));
}
