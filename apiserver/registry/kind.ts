import type { Schema } from '../../api/schema/schema.ts';
import type { CustomResourceSubresourceScale, KubernetesObject, ObjectMeta } from '../../api/types.ts';
import type { FieldError } from '../../api/validation/field-error.ts';

/** An object as the API server holds it: type and metadata are always there. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** The verbs of a REST resource as discovery names them. */
export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** One column of a server-side printed table (meta.k8s.io/v1 TableColumnDefinition) and how its cell is made. */
export interface Column<T = ApiObject> {
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  format?: string;
  description: string;
  /** 0 is always shown, 1 with `-o wide`. */
  priority?: number;
  cell(object: T): unknown;
}

/**
 * What a kind does at each step of a write, after the generic steps (metadata, pruning, defaults).
 * Steps change the object they are given. Upstream: registry/rest RESTCreateStrategy and RESTUpdateStrategy.
 */
export interface Strategy<T = ApiObject> {
  prepareForCreate?(object: T, warn: (texts: string[]) => void): void;
  prepareForUpdate?(object: T, old: T): void;
  /** True when PUT on a missing object makes it (Lease, Role). */
  allowCreateOnUpdate?: boolean;
  /** False when PUT must carry a resourceVersion. */
  allowUnconditionalUpdate?: boolean;
  /** Grace in seconds of a delete; without it objects go at once. */
  gracePeriodSeconds?(object: T, asked: number | undefined): number;
  /** Replaces the generic steps of a deletion (Namespace): the object is changed in place. */
  beginDeletion?(object: T, now: Date): 'remove' | 'wait' | { write: ApiObject } | undefined;
  /** Warnings that ride on the answer of a create, or of an update of `old`. */
  warnings?(object: T, old?: T): string[];
}

/** A part of a resource served under its own path, e.g. pods/status. */
export interface Subresource<T = ApiObject> {
  name: string;
  /** Kind of the body, e.g. Binding for pods/binding. */
  kind: string;
  group?: string;
  version?: string;
  verbs: Verb[];
  /** For get/update/patch subresources: takes from the new object only what this subresource may change. */
  strategy?: Strategy<T>;
}

/** What reading a client's object found: fields that no schema knows, and the first value that cannot be read at all. */
export interface Decoded {
  value: unknown;
  findings: { unknown: string[]; wrongType: string | undefined };
}

/**
 * What a custom resource brings along by its CustomResourceDefinition where built-in kinds have theirs in tables of types, defaults and
 * validations.
 */
export interface CustomBehaviour {
  /** The object's schema as server-side apply and OpenAPI see it; metadata is a reference to ObjectMeta. */
  schema: Schema;
  /** Drops what the schema doesn't know. */
  decode(value: unknown): Decoded;
  applyDefaults(object: ApiObject): void;
  validate(object: ApiObject): FieldError[];
  validateUpdate(object: ApiObject, old: ApiObject, subresource: string): FieldError[];
  /** The definition goes away: objects can only be made fewer. */
  isTerminating: boolean;
  /** Where the scale subresource finds what it shows. */
  scale?: CustomResourceSubresourceScale;
  /** Aborted when this record is replaced or removed: its watches end, and clients look afresh. */
  ended: AbortSignal;
}

/** One record of the table of kinds: all that the machinery needs to know to serve a resource. */
export interface Kind<T = ApiObject> {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  /** Without it, the kind and `List`. */
  listKind?: string;
  shortNames?: string[];
  categories?: string[];
  namespaced: boolean;
  verbs: Verb[];
  subresources?: Subresource<T>[];
  columns?: Column<T>[];
  strategy: Strategy<T>;
  /** The field labels that a fieldSelector may name besides metadata.name and metadata.namespace. */
  selectableFields?(object: T): Record<string, string>;
  /** Values are encrypted before they reach the store. */
  encrypted?: boolean;
  /** DELETE answers the object instead of a Status. */
  returnsDeletedObject?: boolean;
  /** Objects vanish this long after their last write (events). */
  timeToLiveMs?: number;
  /** This record is another view of the objects stored by `group`/`plural` of that record. */
  viewOf?: {
    group: string;
    plural: string;
    fromStored(object: ApiObject): ApiObject;
    toStored(object: ApiObject): ApiObject;
  };
  /** metadata.generation follows spec changes. */
  tracksGeneration?: boolean;
  /** What users of a kind or a version are told that is deprecated. */
  deprecation?: string;
  /** Set for kinds that are not compiled in. */
  custom?: CustomBehaviour;
}

export const ALL_VERBS: Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** Writes a record in the kind's own type; the table holds it as a record of plain objects. */
export function defineKind<T extends KubernetesObject>(kind: Kind<T>): Kind {
  return kind as unknown as Kind;
}

/** "pods", or "pods.group" outside the core group: how error messages name a resource. */
export const resourceName = (kind: Pick<Kind, 'group' | 'plural'>): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;

/** "v1" or "group/v1": the apiVersion field. */
export const apiVersionOf = (kind: { group: string; version: string }): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;

/** The kind of a list of this kind's objects. */
export const listKindOf = (kind: Pick<Kind, 'kind' | 'listKind'>): string =>
  kind.listKind ?? `${kind.kind}List`;
