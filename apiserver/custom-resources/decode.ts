import { definitions } from '../../api/openapi.ts';
import type { StructuralSchema } from '../../api/custom-resources/structural-schema.ts';
import { schemaOfField } from '../../api/custom-resources/structural-schema.ts';
import { decodeFields } from '../http/decode-fields.ts';
import type { Decoded } from '../registry/kind.ts';
import { pruneObject } from '../../api/custom-resources/prune.ts';
import { isMap } from '../../api/custom-resources/values.ts';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Brings a client's object into the shape that its schema allows; metadata is read as the type that it is. */
export function decodeCustomResource(value: unknown, schema: StructuralSchema): Decoded {
  const unknown: string[] = [];
  const note = (path: string) => void unknown.push(path);
  const object = pruneObject(value as Record<string, unknown>, schema, note);
  const reader: MetadataReader = { unknown, wrongType: undefined };
  readMetadata(
    { value: object, schema: { ...schema, 'x-kubernetes-embedded-resource': true }, path: '' },
    reader,
  );
  return { value: object, findings: { unknown: unknown.toSorted(), wrongType: reader.wrongType } };
}

interface MetadataReader {
  unknown: string[];
  wrongType: string | undefined;
}

/** Type and metadata of the root and of embedded resources, in place (upstream: apiserver/schema/objectmeta Coerce). */
function readMetadata(
  { value, schema, path }: { value: unknown; schema: StructuralSchema | undefined; path: string },
  reader: MetadataReader,
): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      readMetadata({ value: item, schema: schema.items, path: `${path}[${index}]` }, reader);
    return;
  }
  if (!isMap(value)) return;
  if (schema['x-kubernetes-embedded-resource'] === true) readEmbedded(value, path, reader);
  for (const [field, content] of Object.entries(value)) {
    const below = path === '' ? field : `${path}.${field}`;
    readMetadata({ value: content, schema: schemaOfField(schema, field), path: below }, reader);
  }
}

function readEmbedded(object: Record<string, unknown>, path: string, reader: MetadataReader): void {
  const prefix = path === '' ? '' : `${path}.`;
  for (const field of ['apiVersion', 'kind']) {
    if (object[field] !== undefined && typeof object[field] !== 'string')
      reader.wrongType ??= `${prefix}${field}: Invalid value: ${JSON.stringify(object[field])}: must be a string`;
  }
  const { metadata } = object;
  if (metadata === undefined || metadata === null) return;
  const { value, findings } = decodeFields({ value: metadata, definition: OBJECT_META, definitions });
  if (findings.wrongType !== undefined) {
    const shown = JSON.stringify(metadata);
    reader.wrongType ??= `${prefix}metadata: Invalid value: ${shown}: ${findings.wrongType}`;
    return;
  }
  reader.unknown.push(...findings.unknown.map((path) => `${prefix}metadata.${path}`));
  object['metadata'] = value;
}
