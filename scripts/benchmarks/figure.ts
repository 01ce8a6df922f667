export interface MeasureOptions {
  runs: number;
  /** Measure crun and podman too. */
  peers: boolean;
}

/** One measured figure; medians where not said otherwise. */
export interface Figure {
  name: string;
  unit: 'ms' | 'MB' | 's';
  ours: number;
  peer?: { name: string; value: number };
  goal?: string;
  /** All of our runs. */
  samples: number[];
}

/** The value below which `share` (0 to 1) of the samples lie, by nearest rank; NaN without samples. */
export const percentile = (samples: readonly number[], share: number): number => {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** Figure, ours, peer, ratio (peer over ours: above 1 we are faster), goal. */
export const formatTable = (figures: readonly Figure[]): string => {
  const rows = figures.map(({ name, unit, ours, peer, goal = '' }) => [
    name,
    `${round(ours)} ${unit}`,
    peer === undefined ? '' : `${round(peer.value)} ${unit} (${peer.name})`,
    peer === undefined ? '' : `${(peer.value / ours).toFixed(2)}×`,
    goal,
  ]);
  const table = [['figure', 'ours', 'peer', 'ratio', 'goal'], ...rows];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [head = [], ...body] = table.map(line);
  return [head, rule, ...body].join('\n');
};

const round = (value: number): string => value.toFixed(value < 1 ? 3 : value < 100 ? 1 : 0);
