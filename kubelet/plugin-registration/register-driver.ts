import { connectRegistration } from '../../csi/connect.ts';
import type { RegistrationClient } from '../../csi/connect.ts';
import { errorInWords } from '../../csi/error.ts';
import { csiTimeoutMs } from './csi-drivers.ts';
import type { CsiDrivers } from './csi-drivers.ts';
import type { NodeDriverInfo } from './node-driver-info.ts';
import { highestSupportedVersion, isLess } from './version.ts';

export interface RegistrationContext {
  drivers: CsiDrivers;
  nodeInfo: NodeDriverInfo;
}

/** Upstream waits 10 s for the socket to be served, 1 s for GetInfo and 5 s for the notification. */
const getInfoTimeoutMs = 10_000;
const notifyTimeoutMs = 5_000;

/**
 * Registers the driver behind a registration socket and tells its registrar of it; answers the driver's name. Rejects with
 * Error in upstream's words (pluginmanager/operationexecutor), after the registrar has been told too.
 */
export const registerDriver = async (context: RegistrationContext, socketPath: string): Promise<string> => {
  const registrar = connectRegistration({ socketPath });
  try {
    const info = await getInfo(registrar, socketPath);
    if (info.type !== 'CSIPlugin') {
      const why = `RegisterPlugin error -- no handler registered for plugin type: ${info.type} at socket ${socketPath}`;
      await notify(registrar, why);
      throw new Error(why);
    }
    const endpoint = info.endpoint === '' ? socketPath : info.endpoint;
    await register(context, { ...info, endpoint }).catch(async (error: unknown) => {
      const why = `RegisterPlugin error -- plugin registration failed with err: ${errorInWords(error)}`;
      await notify(registrar, why);
      throw new Error(why, { cause: error });
    });
    await notify(registrar, '').catch(async (error: unknown) => {
      await deregisterDriver(context, info.name);
      const why = `RegisterPlugin error -- failed to send registration status at socket ${socketPath}, err: ${errorInWords(error)}`;
      throw new Error(why, { cause: error });
    });
    return info.name;
  } finally {
    registrar.close();
  }
};

/** Forgets the driver, here and in the API; its mounts stay. */
export const deregisterDriver = async (
  { drivers, nodeInfo }: RegistrationContext,
  name: string,
): Promise<void> => {
  drivers.remove(name);
  await nodeInfo.uninstall(name);
};

const getInfo = (registrar: RegistrationClient, socketPath: string) =>
  // The socket is seen before its server listens.
  registrar.getInfo({}, { timeoutMs: getInfoTimeoutMs, waitForReady: true }).catch((error: unknown) => {
    const why = `failed to get plugin info using RPC GetInfo at socket ${socketPath}, err: ${errorInWords(error)}`;
    throw new Error(`RegisterPlugin error -- ${why}`, { cause: error });
  });

const notify = (registrar: RegistrationClient, error: string) =>
  registrar.notifyRegistrationStatus(
    { pluginRegistered: error === '', error },
    { timeoutMs: notifyTimeoutMs },
  );

interface Registration {
  name: string;
  endpoint: string;
  supportedVersions: string[];
}

const register = async (
  { drivers, nodeInfo }: RegistrationContext,
  { name, endpoint, supportedVersions }: Registration,
): Promise<void> => {
  const version = versionOf(drivers, { name, supportedVersions });
  const driver = drivers.add({ name, endpoint, version });
  try {
    const { nodeId, maxVolumesPerNode, accessibleTopology } = await driver.node.nodeGetInfo(
      {},
      { timeoutMs: csiTimeoutMs, waitForReady: true },
    );
    const topology = accessibleTopology?.segments ?? {};
    await nodeInfo.install({ name, nodeId, maxVolumesPerNode, topology });
  } catch (error) {
    await deregisterDriver({ drivers, nodeInfo }, name);
    throw error;
  }
};

const versionOf = (
  drivers: CsiDrivers,
  { name, supportedVersions }: Pick<Registration, 'name' | 'supportedVersions'>,
) => {
  const failed = `kubernetes.io/csi: RegisterPlugin for CSI driver ${JSON.stringify(name)} failed.`;
  if (supportedVersions.length === 0) {
    throw new Error(`${failed} Plugin returned an empty list for supported versions`);
  }
  const version = (() => {
    try {
      return highestSupportedVersion(supportedVersions);
    } catch (error) {
      const words = supportedVersions.map((each) => JSON.stringify(each)).join(' ');
      throw new Error(
        `${failed} None of the versions specified [${words}] are supported. err=${errorInWords(error)}`,
        {
          cause: error,
        },
      );
    }
  })();
  const existing = drivers.find(name);
  if (existing === undefined || isLess(existing.version, version)) return version;
  throw new Error(
    `${failed} Another driver with the same name is already registered with a higher supported version: "${existing.version.join('.')}"`,
  );
};
