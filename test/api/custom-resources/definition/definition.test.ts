import test from 'ava';
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionUpdate,
} from '../../../../api/custom-resources/definition/definition.ts';
import { defaultCustomResourceDefinition } from '../../../../api/defaults/custom-resource-definition.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../../../api/types.ts';
import { fieldErrorText } from '../../../../api/validation/field-error.ts';
import { definitionOf } from '../../../apiserver/custom-resources/definitions.ts';

const textsOf = (definition: CustomResourceDefinition): string[] => {
  const copy = structuredClone(definition);
  defaultCustomResourceDefinition(copy);
  return validateCustomResourceDefinition(copy).map(fieldErrorText);
};

const withVersion = (more: Partial<CustomResourceDefinitionVersion>): CustomResourceDefinition =>
  definitionOf([
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, ...more },
  ]);

const withField = (field: JSONSchemaProps): CustomResourceDefinition =>
  withVersion({ schema: { openAPIV3Schema: { type: 'object', properties: { a: field } } } });

const FIELD = 'spec.validation.openAPIV3Schema.properties[a]';

const FIELDS: [name: string, field: JSONSchemaProps, texts: string[]][] = [
  ['no type', {}, [`${FIELD}.type: Required value: must not be empty for specified object fields`]],
  ['free type', { 'x-kubernetes-preserve-unknown-fields': true }, []],
  [
    'int or string',
    { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    [],
  ],
  [
    'odd type',
    { type: 'thing' },
    [
      `${FIELD}.type: Unsupported value: "thing": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
  ],
  ['no items', { type: 'array' }, [`${FIELD}.items: Required value: must be specified`]],
  [
    'item without type',
    { type: 'array', items: {} },
    [`${FIELD}.items.type: Required value: must not be empty for specified array items`],
  ],
  [
    'pattern',
    { type: 'string', pattern: '(' },
    [
      `${FIELD}.pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
    ],
  ],
  [
    'type in anyOf',
    { type: 'string', anyOf: [{ type: 'string' }] },
    [`${FIELD}.anyOf[0].type: Forbidden: must be empty to be structural`],
  ],
  [
    'description in not',
    { type: 'string', not: { description: 'x' } },
    [`${FIELD}.not.description: Forbidden: must be empty to be structural`],
  ],
  [
    'properties and additionalProperties',
    { type: 'object', properties: { b: { type: 'string' } }, additionalProperties: { type: 'string' } },
    [`${FIELD}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
  ],
  [
    'uniqueItems',
    { type: 'array', items: { type: 'string' }, uniqueItems: true },
    [
      `${FIELD}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
  ],
  ['$ref', { type: 'string', $ref: 'x' }, [`${FIELD}.$ref: Forbidden: $ref is not supported`]],
  [
    'default of a wrong type',
    { type: 'integer', default: 'x' },
    [
      `${FIELD}.default: Invalid value: "string": ${FIELD}.default in body must be of type integer: "string"`.replace(
        `${FIELD}.default in body`,
        ' in body',
      ),
    ],
  ],
  [
    'default with unknown fields',
    { type: 'object', default: { b: 1 }, properties: { c: { type: 'string' } } },
    [`${FIELD}.default: Invalid value: {"b":1}: must not have unknown fields`],
  ],
  [
    'preserve false',
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
    [`${FIELD}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`],
  ],
  [
    'list type of a string',
    { type: 'string', 'x-kubernetes-list-type': 'set' },
    [`${FIELD}.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified`],
  ],
  [
    'odd list type',
    { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'bag' },
    [`${FIELD}.x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"`],
  ],
  [
    'keys of no map',
    { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-map-keys': ['k'] },
    [
      `${FIELD}.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty`,
    ],
  ],
  [
    'optional key',
    {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' } } },
    },
    [
      `${FIELD}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ],
  ],
  [
    'set of maps',
    { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } },
    [
      `${FIELD}.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
    ],
  ],
  [
    'odd map type',
    { type: 'object', 'x-kubernetes-map-type': 'x' },
    [`${FIELD}.x-kubernetes-map-type: Unsupported value: "x": supported values: "atomic", "granular"`],
  ],
  [
    'embedded string',
    { type: 'string', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    [`${FIELD}.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true`],
  ],
  [
    'rule without text',
    { type: 'object', 'x-kubernetes-validations': [{ rule: ' ' }] },
    [`${FIELD}.x-kubernetes-validations[0].rule: Required value: rule is not specified`],
  ],
  [
    'rule over lines',
    { type: 'object', 'x-kubernetes-validations': [{ rule: 'true &&\ntrue' }] },
    [
      `${FIELD}.x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks`,
    ],
  ],
  [
    'odd reason',
    { type: 'object', 'x-kubernetes-validations': [{ rule: 'true', reason: 'X' }] },
    [
      `${FIELD}.x-kubernetes-validations[0].reason: Unsupported value: "X": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
    ],
  ],
  [
    'odd field path',
    { type: 'object', 'x-kubernetes-validations': [{ rule: 'true', fieldPath: '.x' }] },
    [`${FIELD}.x-kubernetes-validations[0].fieldPath: Invalid value: ".x": must be a valid path`],
  ],
];

test('a schema that is not structural is refused', (t) => {
  for (const [name, field, texts] of FIELDS) t.deepEqual(textsOf(withField(field)), texts, name);
});

const ROOT = 'spec.validation.openAPIV3Schema';

const ROOTS: [schema: JSONSchemaProps, texts: string[]][] = [
  [
    { type: 'object', oneOf: [{ properties: { b: { minLength: 1 } } }] },
    [`${ROOT}.properties[b]: Required value: because it is defined in ${ROOT}.oneOf[0].properties[b]`],
  ],
  [{ type: 'string' }, [`${ROOT}.type: Invalid value: "string": must be object at the root`]],
  [{ type: 'object', nullable: true }, [`${ROOT}.nullable: Forbidden: nullable cannot be true at the root`]],
  [
    { type: 'object', additionalProperties: { type: 'string' } },
    [`${ROOT}.additionalProperties: Forbidden: must not be used at the root`],
  ],
  [
    {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
    },
    [
      `${ROOT}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    ],
  ],
  [
    {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } } },
    },
    [],
  ],
  [
    { type: 'object', properties: { kind: { type: 'integer' } } },
    [`${ROOT}.properties[kind].type: Invalid value: "integer": must be string`],
  ],
];

test('the root of a schema has rules of its own', (t) => {
  for (const [openAPIV3Schema, texts] of ROOTS)
    t.deepEqual(
      textsOf(withVersion({ schema: { openAPIV3Schema } })),
      texts,
      JSON.stringify(openAPIV3Schema),
    );
});

const VERSIONS: [more: Partial<CustomResourceDefinitionVersion>, texts: string[]][] = [
  [
    { name: 'V1' },
    [
      "spec.versions[0].name: Invalid value: \"V1\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  [
    { deprecationWarning: 'x' },
    ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
  ],
  [
    { additionalPrinterColumns: [{ name: '', type: 'x', jsonPath: 'y', format: 'z' }] },
    [
      'spec.additionalPrinterColumns[0].name: Required value',
      'spec.additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].format: Invalid value: "z": must be one of byte,date,date-time,double,float,int32,int64,password',
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "y": must be a simple json path starting with .',
    ],
  ],
  [
    { subresources: { scale: { specReplicasPath: '.x', statusReplicasPath: '' } } },
    [
      'spec.subresources.scale.specReplicasPath: Invalid value: ".x": should be a json path under .spec',
      'spec.subresources.scale.statusReplicasPath: Required value',
    ],
  ],
  [
    { selectableFields: [{ jsonPath: '.x' }] },
    [
      'spec.selectableFields[0].jsonPath: Invalid value: ".x": is an invalid path: does not refer to a valid field',
    ],
  ],
];

test('versions, columns, subresources and selectable fields are checked', (t) => {
  for (const [more, texts] of VERSIONS) t.deepEqual(textsOf(withVersion(more)), texts, JSON.stringify(more));
});

test('what is established keeps its names', (t) => {
  const old = withVersion({});
  defaultCustomResourceDefinition(old);
  old.metadata = { name: 'widgets.example.com', resourceVersion: '1' };
  old.status = { ...old.status, conditions: [{ type: 'Established', status: 'True' }] };
  const changed = structuredClone(old);
  changed.spec.scope = 'Cluster';
  changed.spec.names.kind = 'Gadget';
  t.deepEqual(validateCustomResourceDefinitionUpdate(changed, old).map(fieldErrorText), [
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'spec.names.kind: Invalid value: "Gadget": field is immutable',
  ]);
});
