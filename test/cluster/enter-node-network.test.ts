import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { MAIN } from '../../cluster/belonging.ts';
import { down } from '../../cluster/index.ts';
import { nodePaths } from '../../cluster/paths.ts';
import { createNetworkNamespace, namespaceId } from '../../linux/namespaces.ts';
import { nodeNetnsPath } from '../../network/names.ts';
import { until } from '../environment.ts';
import { beginUp } from './begin-up.ts';

const name = `nn-${process.pid}`;
const node = 'node-1';

test.before(() => beginUp(name));
test.after.always(() => down(name));

const runRuntime = (...options: string[]) =>
  spawn(process.execPath, [...process.execArgv, ...options, MAIN, 'runtime', '--name', name, '--node', node]);

test.serial('a component of a node that has no network namespace says so', async (t) => {
  const child = runRuntime();
  const path = nodeNetnsPath({ cluster: name, node });
  t.is(
    await text(child.stderr),
    `podwright: ${node} of cluster '${name}' has no network namespace ${path}; 'podwright up --name ${name}' makes it\n`,
  );
});

test.serial(
  "a component of a node that is started by hand enters the node's network namespace",
  async (t) => {
    const path = nodeNetnsPath({ cluster: name, node });
    createNetworkNamespace(path);
    // Rather nowhere than in the network of the host.
    const old = runRuntime('--import', 'data:text/javascript,process.execve = undefined');
    t.is(
      await text(old.stderr),
      `podwright: ${node} of cluster '${name}': this Node.js (${process.version}) has no process.execve to enter its network by; use 24 or newer\n`,
    );
    mkdirSync(nodePaths(name, node).cniConf, { recursive: true });
    const child = runRuntime();
    const ended = text(child.stderr);
    const pid = child.pid ?? 0;
    await until('it is in there', () => namespaceId(pid, 'net') === statSync(path).ino);
    child.kill('SIGKILL');
    t.notRegex(await ended, /podwright:/);
  },
);
