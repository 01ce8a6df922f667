import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, run } from '../../linux/command.ts';
import { trace } from '../../linux/trace.ts';
import { CniError } from './cni-error.ts';
import type { NetworkConfiguration, PluginConfiguration } from './network-configuration.ts';

/** What a plugin returns for ADD, in version 1.0.0 of the protocol; the parts that are looked at here. */
export interface CniResult {
  cniVersion: string;
  interfaces?: { name: string; mac?: string; sandbox?: string }[];
  ips?: { address: string; gateway?: string; interface?: number }[];
  [field: string]: unknown;
}

export interface PortMapping {
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp' | 'sctp';
  hostIP: string;
}

/** One attachment of a sandbox to a network: what every plugin of the list is told. */
export interface Attachment {
  configuration: NetworkConfiguration;
  containerId: string;
  /** Empty when the namespace is already gone, which DEL must bear. */
  netnsPath: string;
  ifName: string;
  cniArgs: [name: string, value: string][];
  portMappings: PortMapping[];
  binDir: string;
}

export interface PluginCall {
  command: 'ADD' | 'DEL';
  plugin: PluginConfiguration;
  attachment: Attachment;
  prevResult?: CniResult | undefined;
}

const timeoutMs = 60_000;
const log = trace('cni');

/**
 * Executes one plugin (CNI spec 1.0.0, section 2): parameters in the environment, configuration on standard input, the
 * result or an error object on standard output. Plugins inherit the caller's network namespace, which is the node's.
 * Throws CniError with the plugin's own message.
 */
export async function executePlugin(call: PluginCall): Promise<CniResult | undefined> {
  const { plugin, attachment, command } = call;
  const file = join(attachment.binDir, plugin.type);
  if (!existsSync(file)) {
    throw new CniError(`failed to find plugin ${JSON.stringify(plugin.type)} in path [${attachment.binDir}]`);
  }
  log('plugin', { command, type: plugin.type, container: attachment.containerId });
  try {
    const { stdout } = await run(file, [], {
      input: JSON.stringify(pluginInput(call)),
      env: pluginEnvironment(call),
      timeoutMs,
    });
    return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as CniResult);
  } catch (error) {
    throw pluginError(plugin.type, error);
  }
}

function pluginInput({ plugin, attachment, prevResult }: PluginCall): unknown {
  const { capabilities = {}, ...own } = plugin;
  const { name, cniVersion } = attachment.configuration;
  const wantsPorts = capabilities['portMappings'] === true && attachment.portMappings.length > 0;
  return {
    ...own,
    name,
    cniVersion,
    ...(wantsPorts ? { runtimeConfig: { portMappings: attachment.portMappings } } : {}),
    ...(prevResult === undefined ? {} : { prevResult }),
  };
}

function pluginEnvironment({ command, attachment }: PluginCall): Record<string, string> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: attachment.containerId,
    CNI_NETNS: attachment.netnsPath,
    CNI_IFNAME: attachment.ifName,
    CNI_ARGS: attachment.cniArgs.map(([name, value]) => `${name}=${value}`).join(';'),
    CNI_PATH: attachment.binDir,
  };
}

/** The error object is printed on standard output; a plugin that crashed has printed something else, or nothing. */
function pluginError(type: string, error: unknown): CniError {
  if (!(error instanceof CommandError)) {
    const words = error instanceof Error ? error.message : String(error);
    return new CniError(`plugin type=${JSON.stringify(type)} failed: ${words}`, { cause: error });
  }
  const reported = readReported(error.stdout);
  if (reported === undefined) {
    return new CniError(`plugin type=${JSON.stringify(type)} failed: ${error.message}`, { cause: error });
  }
  const { msg, details, code } = reported;
  const words = [msg, details].filter((part) => part !== undefined && part !== '').join('; ');
  return new CniError(`plugin type=${JSON.stringify(type)} failed: ${words}`, { code, cause: error });
}

function readReported(stdout: string): { msg?: string; details?: string; code?: number } | undefined {
  try {
    const value: unknown = JSON.parse(stdout);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
