import { join } from 'node:path';
import test from 'ava';
import { inMountNamespace } from '../environment.ts';

const printStatus = JSON.stringify(join(import.meta.dirname, '../../cli/print-status.ts'));

test('status shows every cluster, also beside one that is half made and one whose file is broken', (t) => {
  const script = `const { printStatus } = await import(${printStatus});
    const { mkdirSync, writeFileSync } = await import('node:fs');
    const folder = (name) => '/var/lib/podwright/' + name;
    for (const name of ['broken', 'half', 'whole']) mkdirSync(folder(name), { recursive: true });
    writeFileSync(folder('broken') + '/cluster.json', '{');
    const file = { version: 2, name: 'whole', port: 6443, cidr: '10.244.0.0/16', bridgeIp: '10.244.0.1', nodes: [] };
    writeFileSync(folder('whole') + '/cluster.json', JSON.stringify(file));
    await printStatus(undefined);
    process.stdout.write('exit code ' + process.exitCode);
    process.exitCode = 0;`;
  t.deepEqual(
    inMountNamespace(script, { propagation: 'private', first: '-t tmpfs state /var/lib' }).split('\n'),
    [
      'cluster broken: read cluster file /var/lib/podwright/broken/cluster.json: not valid JSON; take the cluster down and up again',
      "cluster half is not whole: 'podwright up --name half' goes on with it, 'podwright down --name half' removes it",
      'cluster whole (/var/lib/podwright/whole)',
      '  control-plane  not running        https://127.0.0.1:6443',
      'exit code 1',
    ],
  );
});
