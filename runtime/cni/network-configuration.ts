import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { hasCode } from '../../linux/system-error.ts';
import { CniError } from './cni-error.ts';

/** One plugin's part of a network configuration; everything but `type` and `capabilities` is the plugin's own business. */
export interface PluginConfiguration {
  type: string;
  capabilities?: Record<string, boolean>;
  [field: string]: unknown;
}

/** A network configuration list (CNI spec 1.0.0, section 1). */
export interface NetworkConfiguration {
  cniVersion: string;
  name: string;
  plugins: PluginConfiguration[];
}

/**
 * The network for Pods: the first valid file of the conf directory by name (`.conflist`, or `.conf` and `.json` with a
 * single plugin), as other runtimes choose it. Throws CniError with upstream's words when there is none, so that the node
 * is not ready until somebody installs one.
 */
export function loadNetworkConfiguration(confDir: string): NetworkConfiguration {
  const files = listFiles(confDir).filter((name) => ['.conflist', '.conf', '.json'].includes(extname(name)));
  let complaint = '';
  for (const name of files.toSorted()) {
    try {
      return readConfiguration(join(confDir, name));
    } catch (error) {
      complaint = `: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  const problem = files.length === 0 ? 'no network config found' : 'no valid networks found';
  throw new CniError(`cni plugin not initialized: ${problem} in ${confDir}${complaint}`);
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function readConfiguration(path: string): NetworkConfiguration {
  const value: unknown = parse(path);
  if (!isRecord(value)) throw new CniError(`${path}: not a network configuration`);
  const { name, cniVersion = '0.1.0' } = value;
  if (typeof name !== 'string' || name === '') throw new CniError(`${path}: missing network name`);
  const plugins = extname(path) === '.conflist' ? value['plugins'] : [value];
  if (!Array.isArray(plugins) || plugins.length === 0) throw new CniError(`${path}: no plugins in list`);
  if (!plugins.every(isPlugin)) throw new CniError(`${path}: every plugin needs a type`);
  return { name, cniVersion: String(cniVersion), plugins };
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    throw new CniError(`${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A type is a file name in the plugin directory, never a path. */
const isPlugin = (value: unknown): value is PluginConfiguration =>
  isRecord(value) && typeof value['type'] === 'string' && /^[^/]+$/.test(value['type']);
