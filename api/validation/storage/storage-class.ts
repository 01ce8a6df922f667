import { byteLength } from '../../names.ts';
import type { StorageClass, TopologySelectorTerm } from '../../types.ts';
import { checkEnum, checkQualifiedName, nameIsSubdomain } from '../checks.ts';
import { duplicate, invalid, required, tooLong } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMeta, validateCoreObjectMetaUpdate } from '../object-meta.ts';

const parametersLimit = 512;
const parametersLimitBytes = 256 * 1024;

/** Source: Kubernetes pkg/apis/storage/validation/validation.go. */
export function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const { provisioner = '' } = storageClass;
  return [
    ...validateCoreObjectMeta(storageClass, { namespaced: false, nameRule: nameIsSubdomain }),
    ...checkProvisioner(provisioner, 'provisioner'),
    ...validateParameters(storageClass.parameters ?? {}),
    // An empty word gets through, as upstream.
    ...checkEnum(storageClass.reclaimPolicy || undefined, 'reclaimPolicy', ['Delete', 'Retain']),
    ...(storageClass.volumeBindingMode === undefined
      ? [required('volumeBindingMode')]
      : checkEnum(storageClass.volumeBindingMode, 'volumeBindingMode', [
          'Immediate',
          'WaitForFirstConsumer',
        ])),
    ...validateTopologies(storageClass.allowedTopologies ?? []),
  ];
}

/** The name of who makes or changes volumes. */
export function checkProvisioner(name: string, field: string): FieldError[] {
  return name === '' ? [required(field)] : checkQualifiedName(name.toLowerCase(), field);
}

/** What a class tells its driver: opaque, but of limited size. */
export function validateParameters(parameters: Record<string, string>): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > parametersLimit) return [tooLong('parameters', parametersLimit)];
  const sizeBytes = entries.reduce((total, [key, value]) => total + byteLength(key) + byteLength(value), 0);
  return [
    ...entries.filter(([key]) => key === '').map(() => invalid('parameters', '', 'field can not be empty.')),
    ...(sizeBytes > parametersLimitBytes ? [tooLong('parameters', parametersLimitBytes)] : []),
  ];
}

function validateTopologies(terms: TopologySelectorTerm[]): FieldError[] {
  // Upstream begins the list with as many empty entries as there are terms, so that an empty term is a duplicate by itself.
  const seen: string[] = terms.map(() => '');
  return terms.flatMap((term, index) => {
    const path = `allowedTopologies[${index}]`;
    const errors = validateTopology(term, path);
    const text = textOfTerm(term);
    const repeated = seen.filter((other) => other === text);
    seen.push(text);
    return [...errors, ...repeated.map(() => duplicate(`${path}.matchLabelExpressions`, ''))];
  });
}

/** The same for terms that say the same in another order. */
function textOfTerm({ matchLabelExpressions }: TopologySelectorTerm): string {
  const values = new Map((matchLabelExpressions ?? []).map((each) => [each.key, new Set(each.values)]));
  return [...values]
    .map(([key, set]) => JSON.stringify([key, [...set].toSorted()]))
    .toSorted()
    .join();
}

function validateTopology({ matchLabelExpressions }: TopologySelectorTerm, path: string): FieldError[] {
  const keys = new Set<string>();
  return (matchLabelExpressions ?? []).flatMap(({ key, values = [] }, index) => {
    const at = `${path}.matchLabelExpressions[${index}]`;
    const repeated = keys.has(key);
    keys.add(key);
    return [
      ...(values.length === 0 ? [required(`${at}.values`)] : []),
      ...values.flatMap((value, position) =>
        values.indexOf(value) < position ? [duplicate(`${at}.values[${position}]`, value)] : [],
      ),
      ...checkQualifiedName(key ?? '', `${at}.key`),
      ...(repeated ? [duplicate(`${at}.key`, key)] : []),
    ];
  });
}

export function validateStorageClassUpdate(storageClass: StorageClass, old: StorageClass): FieldError[] {
  return [
    ...validateStorageClass(storageClass),
    ...validateCoreObjectMetaUpdate(storageClass, old),
    ...(['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap((field) =>
      checkImmutable(storageClass[field], old[field], field),
    ),
  ];
}
