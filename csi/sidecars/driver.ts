import { connectDriver } from '../connect.ts';
import type { Calls, CallOptions, CsiDriver } from '../connect.ts';
import { hasCode } from '../error.ts';
import type {
  ControllerService,
  ControllerServiceCapabilityRPCType,
  GroupControllerService,
  GroupControllerServiceCapabilityRPCType,
  NodeServiceCapabilityRPCType,
  PluginCapabilityServiceType,
  PluginCapabilityVolumeExpansionType,
} from '../types.ts';

/** What a driver says it can do. */
export interface DriverCapabilities {
  plugin: ReadonlySet<PluginCapabilityServiceType>;
  expansion: ReadonlySet<PluginCapabilityVolumeExpansionType>;
  controller: ReadonlySet<ControllerServiceCapabilityRPCType>;
  groupController: ReadonlySet<GroupControllerServiceCapabilityRPCType>;
  /** Of a node service at the same socket; empty when there is none. */
  node: ReadonlySet<NodeServiceCapabilityRPCType>;
}

/** A driver as its sidecars use it: every call has the sidecars' timeout, unless the call says another. */
export interface SidecarDriver {
  name: string;
  identity: CsiDriver['identity'];
  controller: Calls<ControllerService>;
  groupController: Calls<GroupControllerService>;
  /** Asked for once, and again after the driver was away: it may have come back as another version. Rejects with CsiError. */
  capabilities(): Promise<DriverCapabilities>;
  close(): void;
}

export interface OpenDriverOptions {
  name: string;
  socketPath: string;
  /** Of one call, 15 s like the upstream attacher's --timeout. */
  timeoutMs?: number;
}

/** A connection to the driver at a socket; it needn't be there yet. */
export const openDriver = ({ name, socketPath, timeoutMs = 15_000 }: OpenDriverOptions): SidecarDriver => {
  const connection = connectDriver({ socketPath });
  let capabilities: Promise<DriverCapabilities> | undefined;
  const onError = (error: unknown) => {
    if (hasCode(error, 'UNAVAILABLE')) capabilities = undefined;
  };
  const guard = <Service extends object>(calls: Calls<Service>): Calls<Service> =>
    guarded(calls, { timeoutMs, onError });
  const driver = {
    identity: guard(connection.identity),
    controller: guard(connection.controller),
    groupController: guard(connection.groupController),
  };
  return {
    name,
    ...driver,
    capabilities() {
      const asked = (capabilities ??= askCapabilities({ ...driver, node: guard(connection.node) }));
      asked.catch(() => {
        if (capabilities === asked) capabilities = undefined;
      });
      return asked;
    },
    close: () => connection.close(),
  };
};

type AnyCall = (request: object, options?: CallOptions) => Promise<unknown>;

function guarded<Service extends object>(
  calls: Calls<Service>,
  { timeoutMs, onError }: { timeoutMs: number; onError: (error: unknown) => void },
): Calls<Service> {
  const entries = Object.entries(calls as Record<string, AnyCall>).map(([name, call]) => {
    const guard: AnyCall = async (request, options) => {
      try {
        return await call(request, { timeoutMs, ...options });
      } catch (error) {
        onError(error);
        throw error;
      }
    };
    return [name, guard];
  });
  return Object.fromEntries(entries) as Calls<Service>;
}

async function askCapabilities({
  identity,
  controller,
  groupController,
  node,
}: Omit<CsiDriver, 'close'>): Promise<DriverCapabilities> {
  const answer = await identity.getPluginCapabilities({});
  const plugin = new Set(answer.capabilities.flatMap(({ service }) => service?.type ?? []));
  const hasController = plugin.has('CONTROLLER_SERVICE');
  const hasGroups = plugin.has('GROUP_CONTROLLER_SERVICE');
  const ofController = hasController ? (await controller.controllerGetCapabilities({})).capabilities : [];
  const ofGroups = hasGroups ? (await groupController.groupControllerGetCapabilities({})).capabilities : [];
  const ofNode = await node.nodeGetCapabilities({}).catch((error: unknown) => {
    if (hasCode(error, 'UNIMPLEMENTED')) return { capabilities: [] };
    throw error;
  });
  return {
    plugin,
    expansion: new Set(answer.capabilities.flatMap(({ volumeExpansion }) => volumeExpansion?.type ?? [])),
    controller: new Set(ofController.flatMap(({ rpc }) => rpc?.type ?? [])),
    groupController: new Set(ofGroups.flatMap(({ rpc }) => rpc?.type ?? [])),
    node: new Set(ofNode.capabilities.flatMap(({ rpc }) => rpc?.type ?? [])),
  };
}
