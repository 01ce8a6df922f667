import { compareVersions } from './version-order.ts';
import type { Kind } from './kind.ts';
import { apiVersionOf } from './kind.ts';

/** The table of kinds that a server serves. Custom resources are added to it while it runs. */
export class KindTable {
  readonly #byResource = new Map<string, Kind>();
  #all: Kind[] | undefined;

  constructor(kinds: Kind[]) {
    for (const kind of kinds) this.add(kind);
  }

  add(kind: Kind): void {
    this.#byResource.set(keyOf(kind.group, kind.version, kind.plural), kind);
    this.#all = undefined;
  }

  remove(kind: Kind): void {
    this.#byResource.delete(keyOf(kind.group, kind.version, kind.plural));
    this.#all = undefined;
  }

  find({ group, version, resource }: { group: string; version: string; resource: string }): Kind | undefined {
    return this.#byResource.get(keyOf(group, version, resource));
  }

  /** Built-in kinds in the table's order, then custom ones by group, version and name. */
  all(): Kind[] {
    this.#all ??= [...this.#byResource.values()].toSorted(byOrder);
    return this.#all;
  }

  /** The kinds of one group and version, e.g. "apps/v1". */
  inGroupVersion(groupVersion: string): Kind[] {
    return this.all().filter((kind) => apiVersionOf(kind) === groupVersion);
  }

  /** The groups with their versions in the order of preference; the core group is ''. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.all()) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) groups.set(group, [...versions, version]);
    }
    return groups;
  }
}

/** Sorting is stable, so that built-in kinds keep their places. */
function byOrder(a: Kind, b: Kind): number {
  if (a.custom === undefined || b.custom === undefined)
    return (a.custom === undefined ? 0 : 1) - (b.custom === undefined ? 0 : 1);
  if (a.group !== b.group) return a.group < b.group ? -1 : 1;
  return compareVersions(a.version, b.version) || (a.plural < b.plural ? -1 : 1);
}

const keyOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;
