import type { CSINode, CSINodeDriver } from '../../types.ts';
import { checkNotNegative, checkQualifiedName, nameIsSubdomain } from '../checks.ts';
import { duplicate, invalid, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMeta } from '../object-meta.ts';
import { checkDriverName } from '../pod/volume-sources.ts';

const NODE_ID_LIMIT = 256;

/** Source: Kubernetes pkg/apis/storage/validation/validation.go. */
export function validateCsiNode(node: CSINode): FieldError[] {
  const drivers = node.spec?.drivers ?? [];
  return [
    ...validateCoreObjectMeta(node, { namespaced: false, nameRule: nameIsSubdomain }),
    ...drivers.flatMap((driver, index) => [
      ...validateDriver(driver, `spec.drivers[${index}]`),
      ...(drivers.findIndex(({ name }) => name === driver.name) < index
        ? [duplicate(`spec.drivers[${index}].name`, driver.name)]
        : []),
      ...validateTopologyKeys(driver.topologyKeys ?? [], `spec.drivers[${index}]`),
    ]),
  ];
}

/** A driver's entry stays as it is but for how many volumes it can attach; entries come and go. */
export function validateCsiNodeUpdate(node: CSINode, old: CSINode): FieldError[] {
  const drivers = node.spec?.drivers ?? [];
  return [
    ...validateCsiNode(node),
    ...(old.spec?.drivers ?? []).flatMap((before) =>
      drivers
        .filter(({ name }) => name === before.name)
        .flatMap((driver) => checkImmutable(asShown(driver), asShown(before), 'spec.drivers')),
    ),
  ];
}

/** What may not change, with the names that an error shows. */
const asShown = ({ name, nodeID, topologyKeys }: CSINodeDriver) => ({
  Name: name,
  NodeID: nodeID,
  TopologyKeys: topologyKeys ?? null,
  Allocatable: null,
});

function validateDriver({ name, nodeID, allocatable }: CSINodeDriver, path: string): FieldError[] {
  const id = nodeID ?? '';
  return [
    ...checkDriverName(name ?? '', `${path}.name`),
    ...(id === '' ? [required(`${path}.nodeID`)] : []),
    ...(id.length > NODE_ID_LIMIT
      ? [invalid(`${path}.nodeID`, id, `must be ${NODE_ID_LIMIT} characters or less`)]
      : []),
    ...checkNotNegative(allocatable?.count, `${path}.allocatable.count`),
  ];
}

function validateTopologyKeys(keys: string[], path: string): FieldError[] {
  return keys.flatMap((key, index) => [
    ...(key === '' ? [required(path)] : []),
    ...(keys.indexOf(key) < index ? [duplicate(path, key)] : []),
    ...checkQualifiedName(key, path),
  ]);
}
