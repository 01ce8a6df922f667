import { closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { failpoint } from '../../linux/failpoint.ts';
import { bindNetworkNamespace } from '../../linux/namespaces.ts';
import { replaceFile } from '../../linux/files.ts';
import { signalProcess, type ProcessIdentity } from '../../linux/process.ts';
import { closeAll, makePipe, spawnProcess } from '../../linux/spawn.ts';
import { trace } from '../../linux/trace.ts';
import type { ContainerSpec, SandboxSpec } from './container-spec.ts';
import { planContainer } from './plan-container.ts';
import { planSandbox } from './plan-sandbox.ts';
import { shimProgram } from './programs.ts';
import { parseStarted } from './state.ts';
import { startErrorOf, warningOf } from './start-error.ts';
import type { Plan } from './plan.ts';

const debug = trace('native');

export interface RunningSandbox extends ProcessIdentity {
  /** What was asked for and could not be done, such as a lower oom_score_adj. */
  warnings: string[];
}

export interface StartedContainer extends ProcessIdentity {
  shim: ProcessIdentity;
  startedAtNs: bigint;
  warnings: string[];
}

/** Starts pause in the namespaces of the specification. Throws StartError; nothing is left behind then. */
export async function launchSandbox(spec: SandboxSpec): Promise<RunningSandbox> {
  await mkdir(join(spec.stateDir, 'root'), { recursive: true });
  const plan = planSandbox(spec);
  const path = join(spec.stateDir, 'plan');
  const { pid, startTime, warnings } = await launch(plan, { path, args: ['sandbox', path], cwd: '/' });
  if (spec.netnsPath !== undefined) {
    try {
      bindNetworkNamespace(`/proc/${pid}/ns/net`, spec.netnsPath);
    } catch (error) {
      signalProcess({ pid, startTime }, 'SIGKILL');
      throw error;
    }
  }
  return { pid, startTime, warnings };
}

/** Starts a container and its shim. Throws StartError when a step fails or the command cannot be executed; nothing is left then. */
export async function startContainer(spec: ContainerSpec): Promise<StartedContainer> {
  const plan = planContainer(spec);
  const path = join(spec.stateDir, 'plan');
  const args = [spec.id, ...(spec.label === undefined ? [] : [spec.label])];
  return await launch(plan, { path, args, cwd: spec.stateDir });
}

interface Launch {
  /** Where the plan is written. */
  path: string;
  args: string[];
  cwd: string;
}

async function launch(plan: Plan, { path, args, cwd }: Launch): Promise<StartedContainer> {
  replaceFile(path, plan.toBytes());
  await failpoint('runtime.launch.before-spawn');
  const [readEnd, writeEnd] = makePipe();
  let shim;
  try {
    shim = spawnProcess({
      file: shimProgram(),
      args: ['podwright-shim', ...args],
      cwd,
      stdout: writeEnd,
      keepAlive: false,
    });
  } catch (error) {
    closeAll(readEnd, writeEnd);
    throw error;
  }
  closeSync(writeEnd);
  await failpoint('runtime.launch.after-spawn');
  const lines = (await readAll(readEnd)).split('\n');
  const warnings = lines.filter((line) => line.startsWith('warning\t')).map((line) => warningOf(plan, line));
  const started = lines.find((line) => line.startsWith('started\t'));
  debug('launched', { args: args.join(' '), started, warnings });
  if (started !== undefined) return { ...parseStarted(started), warnings };
  const failed = lines.find((line) => line.startsWith('failed\t'));
  await shim.ended;
  throw startErrorOf(plan, failed ?? `failed\t0\t${ECHILD}\t`);
}

const ECHILD = 10; // the shim itself was killed before it could report

function readAll(fd: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}
