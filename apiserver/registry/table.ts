import type { Kind } from './kind.ts';
import { apiVersionOf } from './kind.ts';

/** The table of kinds that a server serves. Custom resources are added to it while it runs. */
export class KindTable {
  readonly #byResource = new Map<string, Kind>();

  constructor(kinds: Kind[]) {
    for (const kind of kinds) this.add(kind);
  }

  add(kind: Kind): void {
    this.#byResource.set(keyOf(kind.group, kind.version, kind.plural), kind);
  }

  remove(kind: Kind): void {
    this.#byResource.delete(keyOf(kind.group, kind.version, kind.plural));
  }

  find({ group, version, resource }: { group: string; version: string; resource: string }): Kind | undefined {
    return this.#byResource.get(keyOf(group, version, resource));
  }

  all(): Kind[] {
    return [...this.#byResource.values()];
  }

  /** The kinds of one group and version, e.g. "apps/v1". */
  inGroupVersion(groupVersion: string): Kind[] {
    return this.all().filter((kind) => apiVersionOf(kind) === groupVersion);
  }

  /** The groups with their versions in the order of preference; the core group is ''. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.#byResource.values()) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) groups.set(group, [...versions, version]);
    }
    return groups;
  }
}

const keyOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;
