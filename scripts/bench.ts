/**
 * Measures the figures of docs/benchmarks.md, prints them as a table and writes them to a JSON file.
 * Speeds are looked at here only; no test asserts them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { configMapPropagation } from './benchmarks/config-map-propagation.ts';
import { containerStart } from './benchmarks/container-start.ts';
import { describeHost } from './benchmarks/host.ts';
import { helperMemory } from './benchmarks/helper-memory.ts';
import { manyPods } from './benchmarks/many-pods.ts';
import { installPeers } from './benchmarks/peers.ts';
import { podStart } from './benchmarks/pod-start.ts';
import { startBenchCluster } from './benchmarks/cluster.ts';
import type { BenchCluster } from './benchmarks/cluster.ts';
import { formatTable } from './benchmarks/figure.ts';
import type { Figure, MeasureOptions } from './benchmarks/figure.ts';
import { storage } from './benchmarks/storage.ts';
import { upTime } from './benchmarks/up-time.ts';

/** In this order; all but `up` and `storage` share one cluster. */
const onCluster: Record<string, (cluster: BenchCluster, options: MeasureOptions) => Promise<Figure[]>> = {
  container: containerStart,
  pod: podStart,
  configmap: configMapPropagation,
  memory: helperMemory,
  'many-pods': manyPods,
};

const figureNames = [...Object.keys(onCluster), 'storage', 'up'];

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('it must be a whole number from 1.');
  return value;
};

const say = (text: string) => process.stderr.write(`${text}\n`);

const program = new Command('scripts/bench')
  .description('Measures Podwright on this machine: medians, as a table and as JSON.')
  .option('--peers', 'install crun and podman from Debian and measure them too', false)
  .option('--runs <count>', 'runs of each figure', count, 10)
  .addOption(new Option('--only <names...>', 'some figures only').choices(figureNames))
  .option('--output <file>', 'where the JSON goes', 'build/bench.json')
  .parse();
const { peers, runs, only, output } = program.opts<{
  peers: boolean;
  runs: number;
  only?: string[];
  output: string;
}>();

const wanted = (name: string) => only === undefined || only.includes(name);
const figures: Figure[] = [];
const report = (measured: Figure[]) => {
  figures.push(...measured);
  for (const { name, ours, unit } of measured) say(`  ${name}: ${ours.toFixed(1)} ${unit}`);
};

if (peers) {
  say('installing the peers');
  await installPeers();
}
const options: MeasureOptions = { runs, peers };
const names = Object.keys(onCluster).filter(wanted);
if (names.length > 0) {
  await using cluster = await startBenchCluster();
  for (const name of names) {
    say(`measuring ${name}`);
    report((await onCluster[name]?.(cluster, options)) ?? []);
  }
}
if (wanted('storage')) {
  say('measuring storage');
  report(await storage(options));
}
if (wanted('up')) {
  say('measuring up');
  report(await upTime(options));
}

const host = await describeHost();
mkdirSync(dirname(output), { recursive: true });
writeFileSync(
  output,
  `${JSON.stringify({ measuredAt: new Date().toISOString(), runs, host, figures }, null, 2)}\n`,
);
process.stdout.write(`\n${formatTable(figures)}\n`);
say(`\nwritten to ${output}`);
process.exit(0);
