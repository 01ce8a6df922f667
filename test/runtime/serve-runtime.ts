// A runtime as a process of its own, for tests that kill it: node serve-runtime.ts OPTIONS_AS_JSON. Prints `ready` when it serves.
import pino from 'pino';
import { startRuntime } from '../../runtime/index.ts';
import type { RuntimeOptions } from '../../runtime/index.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<RuntimeOptions, 'log'>;
const runtime = await startRuntime({ ...options, log: pino({ level: 'error' }, pino.destination(2)) });
process.stdout.write('ready\n');
process.on('SIGTERM', () => void runtime.stop().then(() => process.exit(0)));
