import { createHash } from 'node:crypto';
import {
  definitionNameFor,
  openApiV3SchemasReachableFrom,
  schemasReachableFrom,
  toOpenApiV3,
} from '../../api/openapi.ts';
import type { Kind } from '../registry/kind.ts';
import { apiVersionOf, listKindOf } from '../registry/kind.ts';
import type { KindTable } from '../registry/table.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { customSchemas } from './custom-schemas.ts';
import { pathsOf } from './openapi-paths.ts';
import type { OpenApiV2Document } from './openapi-protobuf.ts';
import { encodeOpenApiV2 } from './openapi-protobuf.ts';
import { VERSION } from './version.ts';

const INFO = { title: 'Kubernetes', version: VERSION.gitVersion };

/** Definitions that clients look up by name though no kind refers to them. */
const ALWAYS = [
  'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
  'io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent',
];

/** The OpenAPI documents of a table of kinds, as JSON text, made when first asked for. */
export class OpenApiDocuments {
  readonly #kinds: KindTable;
  readonly #v3 = new Map<string, string>();
  #v2: string | undefined;
  #v2Protobuf: Buffer | undefined;

  constructor(kinds: KindTable) {
    this.#kinds = kinds;
  }

  /** Forgets the documents that tell of these kinds, after they have come, changed or gone. */
  invalidate(kinds: Kind[]): void {
    for (const kind of kinds) this.#v3.delete(apiVersionOf(kind));
    this.#v2 = undefined;
    this.#v2Protobuf = undefined;
  }

  /** GET /openapi/v3: where each group version's document lies, with its hash so that clients may cache it for ever. */
  index(): string {
    const entries = this.#groupVersions().map((groupVersion) => {
      const path = groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`;
      const hash = createHash('sha512')
        .update(this.v3(groupVersion) ?? '')
        .digest('hex')
        .toUpperCase();
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
    });
    return JSON.stringify({ paths: Object.fromEntries(entries) });
  }

  /** The OpenAPI v3 document of one group version ("v1", "rbac.authorization.k8s.io/v1"), or undefined. */
  v3(groupVersion: string): string | undefined {
    const known = this.#v3.get(groupVersion);
    if (known !== undefined) return known;
    const kinds = this.#kinds.inGroupVersion(groupVersion);
    if (kinds.length === 0) return undefined;
    const document = {
      openapi: '3.0.0',
      info: INFO,
      paths: Object.assign({}, ...kinds.map((kind) => pathsOf(kind, 3))) as object,
      components: { schemas: { ...openApiV3SchemasReachableFrom(definitionsOf(kinds)), ...customV3(kinds) } },
    };
    const text = JSON.stringify(document);
    this.#v3.set(groupVersion, text);
    return text;
  }

  /** The OpenAPI v2 document of everything. */
  v2(): string {
    this.#v2 ??= JSON.stringify(this.#v2Document());
    return this.#v2;
  }

  /** The same as protobuf. */
  v2Protobuf(): Buffer {
    this.#v2Protobuf ??= encodeOpenApiV2(this.#v2Document());
    return this.#v2Protobuf;
  }

  #v2Document(): OpenApiV2Document {
    const kinds = this.#kinds.all();
    return {
      swagger: '2.0',
      info: INFO,
      paths: Object.assign({}, ...kinds.map((kind) => pathsOf(kind, 2))) as OpenApiV2Document['paths'],
      definitions: { ...schemasReachableFrom(definitionsOf(kinds)), ...customSchemasOf(kinds, 2) },
    };
  }

  #groupVersions(): string[] {
    return [...new Set(this.#kinds.all().map(apiVersionOf))];
  }
}

const customSchemasOf = (kinds: Kind[], openApi: 2 | 3): Record<string, Schema> =>
  Object.assign({}, ...kinds.map((kind) => customSchemas(kind, openApi))) as Record<string, Schema>;

const customV3 = (kinds: Kind[]): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(customSchemasOf(kinds, 3)).map(([name, schema]) => [name, toOpenApiV3(schema)]),
  );

function definitionsOf(kinds: Kind[]): string[] {
  const types = kinds.flatMap((kind) => [
    kind,
    { ...kind, kind: listKindOf(kind) },
    ...(kind.subresources ?? []).map((part) => ({
      group: part.group ?? kind.group,
      version: part.version ?? kind.version,
      kind: part.kind,
    })),
  ]);
  const names = types.map(({ group, version, kind }) => definitionNameFor(group, version, kind));
  return [...new Set([...ALWAYS, ...names.filter((name) => name !== undefined)])];
}
