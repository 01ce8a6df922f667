/** Ends the command with one clear line on stderr and exit code 1; the stack only when PODWRIGHT_DEBUG is set. */
export function fail(error: unknown): never {
  process.stderr.write(`podwright: ${messageOf(error)}\n`);
  if (process.env.PODWRIGHT_DEBUG !== undefined && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  process.exit(1);
}

/** The message with those of its causes, which hold the errno and the path. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`;
  return error.message.includes(cause.slice(2)) ? error.message : `${error.message}${cause}`;
}

/** Throws unless the process is root; scripts/podwright has already tried sudo. */
export function requireRoot(operation: string): void {
  if (process.getuid?.() === 0) return;
  throw new Error(`${operation}: must run as root, and no sudo was found`);
}
