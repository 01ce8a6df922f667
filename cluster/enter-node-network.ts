import { existsSync, statSync } from 'node:fs';
import { inNetworkNamespace, namespaceId } from '../linux/namespaces.ts';
import { nodeNetnsPath } from '../network/names.ts';

/**
 * Makes sure that this process is in the network namespace of a node. Elsewhere it becomes itself anew through nsenter, keeping its pid
 * and terminal: setns(2) would move one thread of those that Node.js has by now. Throws when the namespace is not there.
 */
export function enterNodeNetwork({ cluster, node }: { cluster: string; node: string }): void {
  const path = nodeNetnsPath({ cluster, node });
  if (!existsSync(path)) {
    throw new Error(
      `${node} of cluster '${cluster}' has no network namespace ${path}; 'podwright up --name ${cluster}' makes it`,
    );
  }
  if (statSync(path).ino === namespaceId('self', 'net')) return;
  if (process.execve === undefined) {
    throw new Error(
      `${node} of cluster '${cluster}': this Node.js (${process.version}) has no process.execve to enter its network by; use 24 or newer`,
    );
  }
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // env(1) looks nsenter up in PATH, which execve(2) doesn't.
  process.execve('/usr/bin/env', ['env', ...inNetworkNamespace(path), ...self], process.env);
}
