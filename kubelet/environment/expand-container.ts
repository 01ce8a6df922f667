import type { Container, VolumeMount } from '../../api/types.ts';
import { ContainerConfigError } from './container-config-error.ts';
import { expand, mappingOf } from './expansion.ts';

/** One variable of a container's environment. */
export interface EnvironmentVariable {
  name: string;
  /** By textOfBytes(): of a Secret it can be any bytes. */
  value: string;
}

/** The container's command and args with `$(VAR)` replaced from its environment. */
export const expandCommand = (
  container: Pick<Container, 'command' | 'args'>,
  environment: readonly EnvironmentVariable[],
): { command: string[]; args: string[] } => {
  const mapping = mappingOf(asMap(environment));
  const expanded = (words: string[] = []) => words.map((word) => expand(word, mapping));
  return { command: expanded(container.command), args: expanded(container.args) };
};

/** A volume mount's subPath, or its subPathExpr expanded; a name without a value is a ContainerConfigError. */
export const expandSubPath = (mount: VolumeMount, environment: readonly EnvironmentVariable[]): string => {
  if (mount.subPathExpr === undefined || mount.subPathExpr === '') return mount.subPath ?? '';
  const variables = asMap(environment);
  const missing = new Set<string>();
  const expanded = expand(mount.subPathExpr, (name) => {
    const value = variables.get(name) ?? '';
    if (value === '') missing.add(name);
    return value;
  });
  if (missing.size > 0) throw new ContainerConfigError(`missing value for ${[...missing].sort().join(', ')}`);
  return expanded;
};

const asMap = (environment: readonly EnvironmentVariable[]): Map<string, string> =>
  new Map(environment.map(({ name, value }) => [name, value]));
