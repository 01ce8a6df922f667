import type { Schema } from '../../api/openapi.ts';
import { bytesField, textField, varintField } from '../protobuf/wire-writer.ts';

/** An OpenAPI v2 document, as far as this server writes one. */
export interface OpenApiV2Document {
  swagger: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  definitions: Record<string, Schema>;
}

interface Operation {
  operationId: string;
  consumes?: string[];
  parameters: Record<string, unknown>[];
  responses: Record<string, { description: string; schema?: Schema }>;
}

/** The media type that kubectl asks for, and the one that upstream answers with (kube-openapi/pkg/handler). */
export const PROTOBUF_OF_V2 = {
  asked: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  answered: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
};

/**
 * Encodes an OpenAPI v2 document as protobuf, the one form in which kubectl reads it, to check kinds that the server doesn't know
 * (message numbers: https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto).
 */
export function encodeOpenApiV2({ swagger, info, paths, definitions }: OpenApiV2Document): Buffer {
  return Buffer.concat([
    textField(1, swagger),
    bytesField(2, [textField(1, info.title), textField(2, info.version)]),
    bytesField(8, named(2, paths, pathItem)),
    bytesField(9, named(1, definitions, schemaMessage)),
  ]);
}

/** A map: one message {name = 1, value = 2} per entry. */
function named<Value>(number: number, values: Record<string, Value>, encode: (value: Value) => Buffer[]) {
  return Object.entries(values).map(([name, value]) =>
    bytesField(number, [textField(1, name), bytesField(2, encode(value))]),
  );
}

const METHOD_NUMBERS: Record<string, number> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

const pathItem = (item: Record<string, Operation>): Buffer[] =>
  Object.entries(item).map(([method, value]) => bytesField(METHOD_NUMBERS[method] ?? 0, operation(value)));

function operation(value: Operation): Buffer[] {
  const { operationId, consumes = [], parameters, responses } = value;
  return [
    textField(5, operationId),
    ...consumes.map((type) => textField(7, type)),
    ...parameters.map((parameter) => bytesField(8, queryParameter(parameter))),
    bytesField(9, named(1, responses, response)),
    ...extensions(13, value),
  ];
}

/** ParametersItem{parameter = 1}, Parameter{non_body_parameter = 2}, NonBodyParameter{query_parameter_sub_schema = 3}. */
function queryParameter({ name, type }: Record<string, unknown>): Buffer[] {
  const fields = [
    textField(2, 'query'),
    textField(4, String(name)),
    textField(6, String(type)),
    varintField(20, 1),
  ];
  return [bytesField(1, [bytesField(2, [bytesField(3, fields)])])];
}

function response({ description, schema }: { description: string; schema?: Schema }): Buffer[] {
  const body = schema === undefined ? [] : [bytesField(2, [bytesField(1, schemaMessage(schema))])];
  return [bytesField(1, [textField(1, description), ...body])];
}

function schemaMessage(schema: Schema): Buffer[] {
  const { $ref, format, description, required = [], type, items, properties, additionalProperties } = schema;
  return [
    ...($ref === undefined ? [] : [textField(1, $ref)]),
    ...(format === undefined ? [] : [textField(2, format)]),
    ...(description === undefined ? [] : [textField(4, description)]),
    ...(schema.default === undefined ? [] : [bytesField(5, anyMessage(schema.default))]),
    ...required.map((name) => textField(19, name)),
    ...(schema.enum ?? []).map((value) => bytesField(20, anyMessage(value))),
    ...(additionalProperties === undefined ? [] : [bytesField(21, additional(additionalProperties))]),
    ...(type === undefined ? [] : [bytesField(22, [textField(1, type)])]),
    ...(items === undefined ? [] : [bytesField(23, [bytesField(1, schemaMessage(items))])]),
    ...(properties === undefined ? [] : [bytesField(25, named(1, properties, schemaMessage))]),
    ...extensions(31, schema),
  ];
}

const additional = (value: Schema | boolean): Buffer[] =>
  typeof value === 'boolean' ? [varintField(2, value ? 1 : 0)] : [bytesField(1, schemaMessage(value))];

const extensions = (number: number, holder: object): Buffer[] =>
  Object.entries(holder)
    .filter(([name]) => name.startsWith('x-'))
    .map(([name, value]) => bytesField(number, [textField(1, name), bytesField(2, anyMessage(value))]));

/** Any{yaml = 2}: JSON is YAML. */
const anyMessage = (value: unknown): Buffer[] => [textField(2, JSON.stringify(value))];
