const patience = Number(process.env.PODWRIGHT_PATIENCE ?? 1);

/**
 * Tests run straight from TypeScript; two files at a time, because each takes the machine's kernel for itself. On a slow machine the
 * tests of a file go one after the other: clients that are not ours (kubectl) have deadlines that don't stretch.
 */
export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 2,
  serial: patience > 1,
  timeout: `${4 * patience}m`,
  workerThreads: false,
  nodeArguments: ['--disable-warning=ExperimentalWarning', '--liftoff-only'],
};
