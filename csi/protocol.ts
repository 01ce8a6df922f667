import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/grpc-js';

/**
 * csi.proto and plugin-registration.proto as grpc-js takes them. Field names become camelCase, enums are their names, int64 is a
 * number (exact up to 8 PiB), fields not sent have the protocol's default, messages not sent are null, members of a `oneof` that
 * are not sent are absent.
 */
export function csiPackage(): PackageDefinition {
  loaded ??= { ...load('csi.proto'), ...load('plugin-registration.proto') };
  return loaded;
}

let loaded: PackageDefinition | undefined;

const load = (file: string): PackageDefinition =>
  loadSync(fileURLToPath(new URL(file, import.meta.url)), { enums: String, longs: Number, defaults: true });

/** The definition of a service such as `csi.v1.Controller`. */
export function serviceDefinition(path: ServicePath): ServiceDefinition {
  return csiPackage()[path] as ServiceDefinition;
}

export type ServicePath =
  | 'csi.v1.Identity'
  | 'csi.v1.Controller'
  | 'csi.v1.GroupController'
  | 'csi.v1.Node'
  | 'pluginregistration.Registration';
