/** Tests run straight from TypeScript; two files at a time, because each takes the machine's kernel for itself. */
export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 2,
  timeout: `${4 * Number(process.env.PODWRIGHT_PATIENCE ?? 1)}m`,
  workerThreads: false,
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
};
