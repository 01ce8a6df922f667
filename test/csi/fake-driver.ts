import { CsiError } from '../../csi/error.ts';
import { serveDriver } from '../../csi/serve.ts';
import type { DriverServices, Handlers } from '../../csi/serve.ts';
import type {
  ControllerService,
  ControllerServiceCapabilityRPCType,
  PluginCapabilityServiceType,
  PluginCapabilityVolumeExpansionType,
  Sent,
  Volume,
} from '../../csi/types.ts';

type Rpc = keyof ControllerService;
type Answer = (request: unknown, signal: AbortSignal) => unknown;

export interface FakeDriverOptions {
  socketPath: string;
  plugin?: PluginCapabilityServiceType[];
  controller?: ControllerServiceCapabilityRPCType[];
  expansion?: PluginCapabilityVolumeExpansionType[];
  /** What a new volume says of itself besides size and id. */
  volume?: (name: string) => Sent<Volume>;
  /** Free bytes in a place, by the value of its topology. */
  capacity?: (place: Record<string, string>, parameters: Record<string, string>) => number;
}

/** A driver that keeps its volumes in memory, writes down what it is asked, and fails or waits when told to. */
export const createFakeDriver = ({ socketPath, ...options }: FakeDriverOptions) => {
  const calls: { rpc: Rpc; request: Record<string, unknown> }[] = [];
  const volumes = new Map<string, { id: string; bytes: number }>();
  const published = new Set<string>();
  const planned = new Map<Rpc, { answer: Answer; left: number }[]>();

  /** The next `times` calls of an RPC are answered so, instead of with what the driver would say. */
  const plan = (rpc: Rpc, answer: Answer, times = 1) => {
    planned.set(rpc, [...(planned.get(rpc) ?? []), { answer, left: times }]);
  };

  const handlers: Handlers<ControllerService> = {
    controllerGetCapabilities: () => ({
      capabilities: (
        options.controller ?? [
          'CREATE_DELETE_VOLUME',
          'PUBLISH_UNPUBLISH_VOLUME',
          'EXPAND_VOLUME',
          'CLONE_VOLUME',
          'CREATE_DELETE_SNAPSHOT',
          'MODIFY_VOLUME',
          'GET_CAPACITY',
        ]
      ).map((type) => ({ rpc: { type } })),
    }),
    createVolume({ name, capacityRange, volumeContentSource }) {
      const known = volumes.get(name);
      const bytes = capacityRange?.requiredBytes ?? 0;
      if (known !== undefined && known.bytes !== bytes)
        throw new CsiError('ALREADY_EXISTS', `${name} is there with another size`);
      const volume = known ?? { id: `id-${name}`, bytes };
      volumes.set(name, volume);
      const contentSource = volumeContentSource === null ? {} : { contentSource: volumeContentSource };
      return {
        volume: { volumeId: volume.id, capacityBytes: bytes, ...contentSource, ...options.volume?.(name) },
      };
    },
    deleteVolume({ volumeId }) {
      for (const [name, { id }] of volumes) if (id === volumeId) volumes.delete(name);
      return {};
    },
    controllerPublishVolume({ volumeId, nodeId }) {
      published.add(`${volumeId} ${nodeId}`);
      return { publishContext: { devicePath: `/dev/${volumeId}` } };
    },
    controllerUnpublishVolume({ volumeId, nodeId }) {
      published.delete(`${volumeId} ${nodeId}`);
      return {};
    },
    controllerExpandVolume: ({ capacityRange }) => ({
      capacityBytes: capacityRange?.requiredBytes ?? 0,
      nodeExpansionRequired: true,
    }),
    controllerModifyVolume: () => ({}),
    getCapacity: ({ accessibleTopology, parameters }) => ({
      availableCapacity: options.capacity?.(accessibleTopology?.segments ?? {}, parameters) ?? 0,
    }),
  };

  const controller = Object.fromEntries(
    Object.entries(handlers as unknown as Record<Rpc, Answer>).map(([name, handler]) => {
      const rpc = name as Rpc;
      return [
        name,
        async (request: Record<string, unknown>, { signal }: { signal: AbortSignal }) => {
          if (rpc !== 'controllerGetCapabilities') calls.push({ rpc, request });
          const next = planned.get(rpc)?.find(({ left }) => left > 0);
          if (next === undefined) return handler(request, signal);
          next.left -= 1;
          const answer = await next.answer(request, signal);
          return answer ?? handler(request, signal);
        },
      ];
    }),
  ) as Handlers<ControllerService>;

  const services: DriverServices = {
    identity: {
      getPluginInfo: () => ({ name: 'fake.csi.example.com', vendorVersion: '1' }),
      getPluginCapabilities: () => ({
        capabilities: [
          ...(options.plugin ?? ['CONTROLLER_SERVICE']).map((type) => ({ service: { type } })),
          ...(options.expansion ?? ['ONLINE']).map((type) => ({ volumeExpansion: { type } })),
        ],
      }),
      probe: () => ({}),
    },
    controller,
  };
  let server: { stop(): Promise<void> } | undefined;

  return {
    socketPath,
    calls,
    volumes,
    published,
    plan,
    /** The requests of an RPC so far. */
    asked: (rpc: Rpc) => calls.filter((call) => call.rpc === rpc).map(({ request }) => request),
    async start() {
      server = await serveDriver({ socketPath, ...services });
    },
    async stop() {
      await server?.stop();
      server = undefined;
    },
  };
};

export type FakeDriver = ReturnType<typeof createFakeDriver>;

/** An answer for plan(): this error. */
export const failWith =
  (...error: ConstructorParameters<typeof CsiError>): Answer =>
  () => {
    throw new CsiError(...error);
  };
