import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { StatusError } from '../../api/status.ts';
import type { CustomResourceDefinition } from '../../api/types.ts';
import type { OpenApiDocuments } from '../discovery/openapi.ts';
import type { ResourceRequest } from '../endpoints/context.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import type { KindTable } from '../registry/table.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Stores } from '../storage/stores.ts';
import { CLEANUP_FINALIZER, hasFinding, isConditionTrue, setCondition } from './conditions.ts';
import { customResourceDefinition } from './definition.ts';
import { approvalFinding, ESTABLISHED, NOT_ACCEPTED } from './establishing.ts';
import { removeInstances } from './instances.ts';
import { kindsOf, storedKindOf } from './custom-kind.ts';
import { acceptNames } from './naming.ts';

interface CustomResourcesOptions {
  kinds: KindTable;
  stores: Stores;
  openApi: OpenApiDocuments;
  log: Logger;
  now: () => Date;
}

/** What is served for one definition. */
interface Served {
  /** What the records were made from; they are made anew when it changes. */
  basis: unknown;
  kinds: Kind[];
  objects: ObjectStore;
  ended: AbortController;
}

const RETRY_MS = 1000;

/**
 * Serves what CustomResourceDefinitions define while the server runs, and keeps their status:
 *
 *     created ─▶ names accepted ─▶ cache filled, kinds in the table ─▶ Established ─▶ deleted ─▶ objects removed ─▶ gone
 *
 * One definition is looked at at a time: names are given out without races (upstream: controller/{status,establish,finalizer}).
 */
export class CustomResources {
  readonly #options: CustomResourcesOptions;
  readonly #served = new Map<string, Served>();
  readonly #pending = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #work: Promise<void> = Promise.resolve();
  #unlisten: () => void = () => undefined;
  #stopped = false;

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
  }

  /** Serves what is defined already, then follows changes. Needs a feed that has started. */
  async start(): Promise<void> {
    const { cache } = this.#definitions;
    this.#unlisten = cache.listen(({ entry }) => this.#queue(entry.object.metadata.name ?? ''));
    for (const { object } of cache.values()) this.#queue(object.metadata.name ?? '');
    await this.#settled();
  }

  /** Resolves when nothing more is written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unlisten();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { ended } of this.#served.values()) ended.abort();
    await this.#settled();
  }

  /** After a write of a definition: resolves once it is served as written, so that its writer can use it at once. */
  async settle({ kind, info }: Pick<ResourceRequest, 'kind' | 'info'>): Promise<void> {
    const isWrite = !['get', 'list', 'watch'].includes(info.verb);
    if (!isWrite || kind.kind !== customResourceDefinition.kind || kind.custom !== undefined) return;
    await this.#definitions.feed.fresh();
    await this.#settled();
  }

  get #definitions(): ObjectStore {
    return this.#options.stores.of(customResourceDefinition);
  }

  async #settled(): Promise<void> {
    for (let seen; seen !== this.#work;) {
      seen = this.#work;
      await seen;
    }
  }

  #queue(name: string): void {
    if (this.#pending.has(name)) return;
    this.#pending.add(name);
    this.#work = this.#work.then(async () => {
      this.#pending.delete(name);
      if (!this.#stopped) await this.#reconcile(name).catch((error: unknown) => this.#retry(name, error));
    });
  }

  #retry(name: string, error: unknown): void {
    if (this.#stopped || (error instanceof StatusError && error.status.code === 404)) return;
    this.#options.log.warn({ err: error, definition: name }, 'custom resource not up to date; tried again');
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#queue(name);
    }, RETRY_MS);
    this.#timers.add(timer);
  }

  async #reconcile(name: string): Promise<void> {
    const definition = this.#find(name);
    if (definition === undefined) return this.#forget(name);
    const named = this.#withNames(definition);
    if (isConditionTrue(named, 'NamesAccepted') || isConditionTrue(named, 'Established'))
      await this.#serve(named);
    await this.#writeStatus(name, definition, named);
    if (named.metadata?.deletionTimestamp !== undefined) await this.#finish(name, named);
  }

  #find(name: string): CustomResourceDefinition | undefined {
    return this.#definitions.peek({ namespace: '', name }) as CustomResourceDefinition | undefined;
  }

  #all(): CustomResourceDefinition[] {
    return [...this.#definitions.cache.values()].map(
      ({ object }) => object as unknown as CustomResourceDefinition,
    );
  }

  /** A copy with the names that it may have, and the conditions that tell so. */
  #withNames(definition: CustomResourceDefinition): CustomResourceDefinition {
    const copy = structuredClone(definition);
    const now = this.#options.now();
    const others = this.#all().filter(({ metadata }) => metadata?.name !== definition.metadata?.name);
    const { names, condition } = acceptNames(copy, others);
    copy.status = { ...copy.status, acceptedNames: names };
    const established = condition.status === 'True' ? ESTABLISHED : NOT_ACCEPTED;
    const isEstablished = isConditionTrue(copy, 'Established');
    const findings = [condition, isEstablished ? undefined : established, approvalFinding(copy)];
    for (const finding of findings)
      if (finding !== undefined && !hasFinding(copy, finding)) setCondition(copy, finding, now);
    return copy;
  }

  async #writeStatus(
    name: string,
    before: CustomResourceDefinition,
    after: CustomResourceDefinition,
  ): Promise<void> {
    if (isDeepStrictEqual(before.status, after.status)) return;
    await this.#definitions.update({ namespace: '', name }, (current) => {
      const isSame = current?.metadata.resourceVersion === before.metadata?.resourceVersion;
      // Changed in between: its event brings it here again.
      if (current === undefined || !isSame) return Promise.resolve({ keep: true });
      return Promise.resolve({ write: { ...current, status: after.status } as ApiObject });
    });
    // A name may have been given up that another definition waits for.
    for (const other of this.#all())
      if (
        other.spec.group === before.spec.group &&
        other.metadata?.name !== name &&
        !isConditionTrue(other, 'NamesAccepted')
      )
        this.#queue(other.metadata?.name ?? '');
  }

  async #serve(definition: CustomResourceDefinition): Promise<void> {
    const name = definition.metadata?.name ?? '';
    const basis = basisOf(definition);
    const present = this.#served.get(name);
    if (this.#overlaps(definition) || isDeepStrictEqual(present?.basis, basis)) return;
    const ended = new AbortController();
    const stored = storedKindOf(definition, ended.signal);
    const objects = present?.objects ?? (await this.#options.stores.add(stored));
    const kinds = kindsOf(definition, ended.signal);
    this.#replaceKinds(present?.kinds ?? [], kinds);
    objects.cache.forgetEncoded();
    this.#served.set(name, { basis, kinds, objects, ended });
    present?.ended.abort();
  }

  /** A built-in kind keeps its place, its objects and all its versions. */
  #overlaps({ spec }: CustomResourceDefinition): boolean {
    return this.#options.kinds
      .all()
      .some(
        ({ group, plural, custom }) =>
          custom === undefined && group === spec.group && plural === spec.names.plural,
      );
  }

  #replaceKinds(old: Kind[], kinds: Kind[]): void {
    for (const kind of old) this.#options.kinds.remove(kind);
    for (const kind of kinds) this.#options.kinds.add(kind);
    this.#options.openApi.invalidate([...old, ...kinds]);
  }

  #forget(name: string): void {
    const served = this.#served.get(name);
    if (served === undefined) return;
    this.#served.delete(name);
    this.#replaceKinds(served.kinds, []);
    this.#options.stores.remove(served.objects.kind);
    served.ended.abort();
    for (const other of this.#all()) this.#queue(other.metadata?.name ?? '');
  }

  /** Removes the objects of a definition that is being deleted, and then lets it go. */
  async #finish(name: string, definition: CustomResourceDefinition): Promise<void> {
    if (!(definition.metadata?.finalizers ?? []).includes(CLEANUP_FINALIZER)) return;
    const served = this.#served.get(name);
    const finding = await removeInstances({
      objects: served?.objects,
      overlaps: this.#overlaps(definition),
      now: this.#options.now(),
      onRemoved: () => this.#queue(name),
    });
    await this.#definitions.update({ namespace: '', name }, (current) => {
      if (current === undefined) return Promise.resolve({ keep: true });
      const copy = current as unknown as CustomResourceDefinition;
      if (!hasFinding(copy, finding)) setCondition(copy, finding, this.#options.now());
      if (finding.status === 'True') return Promise.resolve({ write: current });
      const finalizers = (current.metadata.finalizers ?? []).filter((other) => other !== CLEANUP_FINALIZER);
      if (finalizers.length === 0) return Promise.resolve({ remove: true as const });
      current.metadata.finalizers = finalizers;
      return Promise.resolve({ write: current });
    });
  }
}

/** What the served records depend on. */
const basisOf = (definition: CustomResourceDefinition): unknown => ({
  uid: definition.metadata?.uid,
  spec: definition.spec,
  names: definition.status?.acceptedNames,
  terminating: isConditionTrue(definition, 'Terminating'),
});
