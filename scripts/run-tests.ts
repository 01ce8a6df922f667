// Runs the checks of scripts/test in order and counts the tests. Exit code 0 only when everything holds.
import { join } from 'node:path';
import { execa, execaSync } from 'execa';

const paths = process.argv.slice(2);
const flags = paths.filter((path) => path.startsWith('-'));
if (flags.length > 0) {
  process.stderr.write(`scripts/test: unknown flag ${flags.join(' ')} (see --help)\n`);
  process.exit(2);
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };

/** A program of the npm packages. */
const programOf = (name: string): string => join(import.meta.dirname, '..', 'node_modules', '.bin', name);

/** A whole-project check is one test of the count. */
function check(title: string, command: string, commandArgs: string[]): void {
  const started = performance.now();
  const { failed } = execaSync(programOf(command), commandArgs, {
    stdio: ['ignore', 'inherit', 'inherit'],
    reject: false,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${failed ? 'FAILED' : 'ok'}  ${title} (${seconds} s)\n`);
  counts[failed ? 'failed' : 'passed'] += 1;
}

/** Runs ava, shows its TAP stream in short, and counts it. */
async function runAva(): Promise<void> {
  const ava = execa(programOf('ava'), ['--tap', ...paths], {
    stdio: ['ignore', 'pipe', 'inherit'],
    reject: false,
  });
  let inFailure = false;
  const seen: Counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const line of ava) {
    const result = /^(not ok|ok) \d+ - (.*)$/.exec(line);
    const skipReason = /^#\s+SKIP (.*)$/.exec(line)?.[1];
    if (result !== null) {
      const [, verdict, title = ''] = result;
      inFailure = verdict === 'not ok';
      seen[inFailure ? 'failed' : 'passed'] += 1;
      process.stdout.write(`${inFailure ? 'FAILED' : 'ok'}  ${title}\n`);
    } else if (skipReason !== undefined) {
      // A test that this kernel can't run passes with a log line that says why (test/environment.ts, skipUnless).
      seen.passed -= 1;
      seen.skipped += 1;
      process.stdout.write(`      skipped: ${skipReason}\n`);
    } else if (inFailure) {
      process.stdout.write(`    ${line}\n`);
    }
  }
  const { failed } = await ava;
  // A crash outside of any test (uncaught exception, a file that does not load) fails the run without a "not ok" line.
  if (failed && seen.failed === 0) seen.failed = 1;
  for (const kind of ['passed', 'failed', 'skipped'] as const) counts[kind] += seen[kind];
}

if (paths.length === 0) {
  check('format (prettier)', 'prettier', ['--check', '--log-level', 'warn', '.']);
  check('types (tsc)', 'tsc', ['--noEmit']);
  check('lint (oxlint)', 'oxlint', ['--type-aware']);
}
await runAva();
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
