import { Optional } from '@marcbachmann/cel-js';
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '../../names.ts';
import { nameIsLabel, nameIsLabel1035, nameIsSubdomain } from '../../validation/checks.ts';
import { hasFormat } from '../validation/formats.ts';
import type { CelFunction, CelLibrary } from './library.ts';

/** A format with a name; `check` tells what is wrong with a text. */
class CelFormat {
  readonly name: string;
  readonly check: (text: string) => string[];

  constructor(name: string, check: (text: string) => string[]) {
    this.name = name;
    this.check = check;
  }

  valueOf(): string {
    return this.name;
  }
}

const known =
  (format: string) =>
  (text: string): string[] =>
    hasFormat(text, format) ? [] : [`invalid ${format}`];

const FORMATS = new Map(
  Object.entries({
    dns1123Label: isDns1123Label,
    dns1123Subdomain: isDns1123Subdomain,
    dns1035Label: isDns1035Label,
    qualifiedName: isQualifiedName,
    dns1123LabelPrefix: (text: string) => nameIsLabel(text, true),
    dns1123SubdomainPrefix: (text: string) => nameIsSubdomain(text, true),
    dns1035LabelPrefix: (text: string) => nameIsLabel1035(text, true),
    labelValue: isLabelValue,
    uri: known('uri'),
    uuid: known('uuid'),
    byte: known('byte'),
    date: known('date'),
    datetime: known('datetime'),
  }).map(([name, check]): [string, CelFormat] => [name, new CelFormat(name, check)]),
);

const byName: CelFunction[] = [...FORMATS].map(([name, format]) => [
  `Namespace.format.${name}(): kubernetes.NamedFormat`,
  () => format,
]);

function validate(format: CelFormat, text: string): Optional<string[]> {
  const wrong = format.check(text);
  return wrong.length === 0 ? Optional.none() : Optional.of(wrong);
}

/** Upstream: apiserver pkg/cel/library/format.go. */
export const formatLibrary: CelLibrary = {
  types: { 'kubernetes.NamedFormat': CelFormat },
  namespaces: ['format'],
  functions: [
    ...byName,
    [
      'Namespace.format.named(string): optional<kubernetes.NamedFormat>',
      (_: object, name: string) => {
        const format = FORMATS.get(name);
        return format === undefined ? Optional.none() : Optional.of(format);
      },
    ],
    ['kubernetes.NamedFormat.validate(string): optional<list<string>>', validate],
  ],
};
