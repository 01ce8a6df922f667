import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/grpc-js';

/**
 * runtime/cri.proto as grpc-js takes it. Field names become camelCase (as in `crictl -o json`), enums are their names,
 * int64 is a number, fields not sent have the protocol's default and messages not sent are null.
 */
export function criPackage(): PackageDefinition {
  loaded ??= loadSync(fileURLToPath(new URL('../cri.proto', import.meta.url)), {
    enums: String,
    longs: Number,
    defaults: true,
  });
  return loaded;
}

let loaded: PackageDefinition | undefined;

/** The two services of CRI v1, for a server or a client. */
export function criServices(): { runtime: ServiceDefinition; image: ServiceDefinition } {
  return {
    runtime: criPackage()['runtime.v1.RuntimeService'] as ServiceDefinition,
    image: criPackage()['runtime.v1.ImageService'] as ServiceDefinition,
  };
}
