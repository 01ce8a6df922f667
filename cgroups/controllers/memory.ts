import type { Controller, FileWrite } from './controller.ts';

/** memory: limits of memory and swap (cgroups v1 memory.txt, v2 "Memory Interface Files"). */
export const memory: Controller = {
  name: 'memory',
  v1: ({ memoryLimitBytes, memorySwapLimitBytes }) => [
    ...write('memory.limit_in_bytes', memoryLimitBytes, String),
    ...write('memory.memsw.limit_in_bytes', memorySwapLimitBytes, String),
  ],
  // v2 limits swap alone, v1 and the CRI memory and swap together.
  v2: ({ memoryLimitBytes, memorySwapLimitBytes }) => [
    ...write('memory.max', memoryLimitBytes, orMax),
    ...write(
      'memory.swap.max',
      memorySwapLimitBytes === undefined || memorySwapLimitBytes < 0
        ? memorySwapLimitBytes
        : Math.max(0, memorySwapLimitBytes - (memoryLimitBytes ?? 0)),
      orMax,
    ),
  ],
};

const write = (file: string, value: number | undefined, format: (value: number) => string): FileWrite[] =>
  value === undefined ? [] : [[file, format(value)]];

const orMax = (bytes: number): string => (bytes < 0 ? 'max' : String(bytes));
