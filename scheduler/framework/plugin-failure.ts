/** What a plugin has thrown, with upstream's words for where it happened: `running PreBind plugin "X": …`. */
export const pluginFailure = (where: string, error: unknown): Error =>
  new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
