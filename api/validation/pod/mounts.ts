import type { Container, VolumeDevice, VolumeMount } from '../../types.ts';
import { checkDescendingPath, checkEnum } from '../checks.ts';
import { forbidden, invalid, notFoundField, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import type { VolumesByName } from './volumes.ts';

/** Checks a container's mounts. Some errors name the list and not the item, as upstream's do. */
export function validateMounts(container: Container, volumes: VolumesByName, path: string): FieldError[] {
  const seen = new Set<string>();
  const devices = container.volumeDevices ?? [];
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const { name = '', mountPath = '' } = mount;
    const at = `${path}[${index}]`;
    const repeated = seen.has(mountPath);
    seen.add(mountPath);
    return [
      ...(name === '' ? [required(`${at}.name`)] : []),
      ...(volumes.has(name) ? [] : [notFoundField(`${at}.name`, name)]),
      ...(mountPath === '' ? [required(`${at}.mountPath`)] : []),
      ...(repeated ? [invalid(`${at}.mountPath`, mountPath, 'must be unique')] : []),
      ...(devices.some((device) => device.name === name)
        ? [invalid(`${at}.name`, name, 'must not already exist in volumeDevices')]
        : []),
      ...(devices.some(({ devicePath }) => devicePath === mountPath)
        ? [invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices')]
        : []),
      ...validateSubPath(mount, path, at),
      ...validatePropagation(mount.mountPropagation, container, `${path}.mountPropagation`),
      ...validateRecursiveReadOnly(mount, `${path}.recursiveReadOnly`),
    ];
  });
}

function validateSubPath(
  { subPath = '', subPathExpr = '' }: VolumeMount,
  path: string,
  at: string,
): FieldError[] {
  const both = subPath !== '' && subPathExpr !== '';
  return [
    ...checkDescendingPath(subPath, `${path}.subPath`),
    ...(both
      ? [invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive')]
      : []),
    ...checkDescendingPath(subPathExpr, `${path}.subPathExpr`),
  ];
}

function validatePropagation(
  propagation: string | undefined,
  container: Container,
  field: string,
): FieldError[] {
  const errors = checkEnum(propagation, field, ['Bidirectional', 'HostToContainer', 'None']);
  if (propagation !== 'Bidirectional' || container.securityContext?.privileged === true) return errors;
  return [
    ...errors,
    forbidden(field, 'Bidirectional mount propagation is available only to privileged containers'),
  ];
}

function validateRecursiveReadOnly(mount: VolumeMount, field: string): FieldError[] {
  const { recursiveReadOnly: wanted, readOnly, mountPropagation = 'None' } = mount;
  if (wanted === undefined || wanted === 'Disabled') return [];
  if (wanted !== 'Enabled' && wanted !== 'IfPossible')
    return [notSupported(field, wanted, ['Disabled', 'Enabled', 'IfPossible'])];
  return [
    ...(readOnly === true ? [] : [forbidden(field, 'may only be specified when readOnly is true')]),
    ...(mountPropagation === 'None'
      ? []
      : [forbidden(field, 'may only be specified when mountPropagation is None or not specified')]),
  ];
}

/** Checks a container's block devices. */
export function validateDevices(container: Container, volumes: VolumesByName, path: string): FieldError[] {
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounts = container.volumeMounts ?? [];
  return (container.volumeDevices ?? []).flatMap((device, index) => {
    const { name = '', devicePath = '' } = device;
    const at = `${path}[${index}]`;
    const errors = [
      ...(name === '' ? [required(`${at}.name`)] : []),
      ...(names.has(name) ? [invalid(`${at}.name`, name, 'must be unique')] : []),
      ...checkDeviceVolume(device, volumes, at),
      ...(devicePath === '' ? [required(`${at}.devicePath`)] : []),
      ...(paths.has(devicePath) ? [invalid(`${at}.devicePath`, devicePath, 'must be unique')] : []),
      ...(devicePath.split('/').includes('..')
        ? [invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')")]
        : []),
      ...(mounts.some((mount) => mount.name === name)
        ? [invalid(`${at}.name`, name, 'must not already exist in volumeMounts')]
        : []),
      ...(mounts.some(({ mountPath }) => mountPath === devicePath)
        ? [invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts')]
        : []),
    ];
    if (name !== '') names.add(name);
    paths.add(devicePath);
    return errors;
  });
}

function checkDeviceVolume({ name = '' }: VolumeDevice, volumes: VolumesByName, at: string): FieldError[] {
  const volume = volumes.get(name);
  if (volume === undefined) return [notFoundField(`${at}.name`, name)];
  if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined) return [];
  const message = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
  return [invalid(`${at}.name`, name, message)];
}
