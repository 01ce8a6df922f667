import { isDeepStrictEqual } from 'node:util';
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../../api/types.ts';
import type { Finding } from './conditions.ts';

/** The names that a definition may have, and whether these are all that it asks for. */
export interface NamingOutcome {
  names: CustomResourceDefinitionNames;
  condition: Finding;
}

interface Taken {
  resources: Set<string>;
  kinds: Set<string>;
}

/**
 * Gives a definition the names that no other of its group has; on a conflict it keeps those it had
 * (upstream: controller/status/naming_controller.go).
 */
export function acceptNames(
  definition: CustomResourceDefinition,
  all: Iterable<CustomResourceDefinition>,
): NamingOutcome {
  const asked = definition.spec.names;
  const accepted: Partial<CustomResourceDefinitionNames> = definition.status?.acceptedNames ?? {};
  const taken = takenNames(definition.spec.group, all);
  const conflicts = [
    conflict('PluralConflict', taken.resources, asked.plural, accepted.plural),
    conflict('SingularConflict', taken.resources, asked.singular, accepted.singular),
    shortNamesConflict(taken.resources, asked.shortNames, accepted.shortNames),
    conflict('KindConflict', taken.kinds, asked.kind, accepted.kind),
    conflict('ListKindConflict', taken.kinds, asked.listKind, accepted.listKind),
  ];
  const [plural, singular, shortNames, kind, listKind] = conflicts;
  const names = {
    ...pick('plural', plural === undefined ? asked : accepted),
    ...pick('singular', singular === undefined ? asked : accepted),
    ...pick('shortNames', shortNames === undefined ? asked : accepted),
    ...pick('kind', kind === undefined ? asked : accepted),
    ...pick('listKind', listKind === undefined ? asked : accepted),
    ...pick('categories', asked),
  };
  // As upstream: of several conflicts the last is told.
  const last = conflicts.findLast((found) => found !== undefined);
  return {
    names: { kind: '', plural: '', ...names },
    condition: last ?? {
      type: 'NamesAccepted',
      status: 'True',
      reason: 'NoConflicts',
      message: 'no conflicts found',
    },
  };
}

const pick = <K extends keyof CustomResourceDefinitionNames>(
  field: K,
  names: Partial<CustomResourceDefinitionNames>,
): Partial<CustomResourceDefinitionNames> => (names[field] === undefined ? {} : { [field]: names[field] });

function takenNames(group: string, all: Iterable<CustomResourceDefinition>): Taken {
  const taken: Taken = { resources: new Set(), kinds: new Set() };
  for (const { spec, status } of all) {
    const names = status?.acceptedNames;
    if (spec.group !== group || names === undefined) continue;
    for (const name of [names.plural, names.singular ?? '', ...(names.shortNames ?? [])])
      taken.resources.add(name);
    for (const name of [names.kind, names.listKind ?? '']) taken.kinds.add(name);
  }
  return taken;
}

function conflict(
  reason: string,
  taken: Set<string>,
  asked: string | undefined,
  accepted: string | undefined,
): Finding | undefined {
  if (asked === undefined || asked === accepted || !taken.has(asked)) return undefined;
  return refused(reason, [asked]);
}

function shortNamesConflict(
  taken: Set<string>,
  asked: string[] = [],
  accepted: string[] = [],
): Finding | undefined {
  if (isDeepStrictEqual(asked, accepted)) return undefined;
  const used = asked.filter((name) => !accepted.includes(name) && taken.has(name));
  return used.length === 0 ? undefined : refused('ShortNamesConflict', used);
}

function refused(reason: string, names: string[]): Finding {
  const texts = names.map((name) => `${JSON.stringify(name)} is already in use`);
  const message = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  return { type: 'NamesAccepted', status: 'False', reason, message };
}
