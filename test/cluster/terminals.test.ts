import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import { findKubectl, kubectlFromPackage } from '../../cli/find-kubectl.ts';
import { startCluster } from '../../cluster/index.ts';
import { patience, skipUnless, until } from '../environment.ts';
import { kubectl, kubectlOnTerminal, type } from './as-user.ts';
import type { Answer, Step } from './as-user.ts';
import { forever, podBench, shell } from './pods/pod-bench.ts';
import type { PodBench } from './pods/pod-bench.ts';
import { takeDown } from './take-down.ts';

const test = anyTest as TestFn;
let bench: PodBench;
let scratch: string;
/** Each kubectl that is at hand: the one on PATH and the newest of the npm packages. */
const programs: string[] = [];

const versions = [0, 1];

test.before(async (t) => {
  scratch = mkdtempSync(join(tmpdir(), 'xx-terminals-'));
  programs.push(...new Set([await findKubectl(), await kubectlFromPackage()]));
  bench = await podBench(await startCluster({ name: `xx-t${process.pid}` }));
  await bench.create('shells', {
    containers: [
      shell('main', `mkdir -p /tmp /www; echo served > /www/index.html; httpd -p 8080 -h /www; ${forever}`),
      shell('tty', 'exec sh', { stdin: true, tty: true }),
      shell('echo', 'while read line; do echo got $line; done', { stdin: true }),
    ],
  });
  await bench.running(t as unknown as ExecutionContext, 'shells');
});
test.after.always(async (t) => {
  bench?.client.close();
  await takeDown(t, bench?.cluster);
  rmSync(scratch, { recursive: true, force: true });
});

const call = (program: string, args: string[], more: { input?: string; env?: NodeJS.ProcessEnv } = {}) =>
  kubectl(args, { kubeconfig: bench.cluster.kubeconfig, program, ...more });

/** A kubectl that goes on, for whoever started it to read and to end. */
const start = (program: string, args: string[]) =>
  spawn(program, args, { env: { ...process.env, KUBECONFIG: bench.cluster.kubeconfig } });

const onTerminal = (program: string, args: string[], steps: Step[]) =>
  kubectlOnTerminal(args, { kubeconfig: bench.cluster.kubeconfig, program, steps, columns: 100, rows: 30 });

/** The same test with each kubectl. */
function withEach(title: string, body: (t: ExecutionContext, program: string) => Promise<void>): void {
  for (const index of versions) {
    test(`${title} (${['kubectl on PATH', 'the newest kubectl'][index]})`, async (t) => {
      const program = programs[index];
      if (skipUnless(t, program !== undefined, 'there is no other kubectl') || program === undefined) return;
      await body(t, program);
    });
  }
}

const done = (t: ExecutionContext, { code, stderr }: Answer) => t.is(code, 0, stderr);

withEach('exec -it: a terminal with a size, resize, Ctrl-C and an exit code', async (t, program) => {
  const { code, screen, stepsDone } = await onTerminal(
    program,
    ['exec', '-it', 'shells', '-c', 'main', '--', 'sh'],
    [
      { sees: '# ', act: type('stty size') },
      { sees: '30 100', act: (terminal) => terminal.resize(120, 40) },
      {
        sees: '# ',
        act: type('until [ "$(stty size)" = "40 120" ]; do sleep 0.05; done; echo resized-$((1+1))'),
      },
      // Said by what is to be interrupted, when it has the terminal.
      { sees: 'resized-2', act: type(`tty; sh -c 'echo sleeping; exec sleep 1000'`) },
      { sees: /\nsleeping/, act: (terminal) => terminal.write('\x03') },
      { sees: '# ', act: type('echo code $?') },
      { sees: 'code 130', act: type('exit 7') },
    ],
  );
  t.is(stepsDone, 7, screen);
  t.regex(screen, /\/dev\/pts\/\d+/);
  t.is(code, 7);
});

withEach('attach -it joins the terminal of the container’s own process', async (t, program) => {
  const { screen, stepsDone, code } = await onTerminal(
    program,
    ['attach', '-it', 'shells', '-c', 'tty'],
    [
      { sees: 'try pressing enter', act: type('') },
      { sees: '# ', act: type('echo pid-$$-$((40+2))') },
      { sees: 'pid-1-42', act: (terminal) => terminal.kill('SIGKILL') },
    ],
  );
  t.is(stepsDone, 3, screen);
  t.is(code, 0);
  t.is((await call(program, ['exec', 'shells', '-c', 'tty', '--', 'cat', '/proc/1/comm'])).stdout, 'sh\n');
});

withEach('attach -i ends with its input, the container goes on', async (t, program) => {
  const word = `word-${programs.indexOf(program)}`;
  const answer = await call(program, ['attach', '-i', 'shells', '-c', 'echo'], { input: `${word}\n` });
  t.is(answer.code, 0, answer.stderr);
  const logs = async () => (await call(program, ['logs', 'shells', '-c', 'echo'])).stdout;
  await until('the container has read it', async () => (await logs()).includes(`got ${word}\n`));
  const { status } = await bench.pod('shells');
  const echo = status?.containerStatuses?.find(({ name }) => name === 'echo');
  t.is(echo?.restartCount, 0);
  t.not(echo?.state?.running, undefined);
});

withEach('run -it --rm: a Pod for one terminal', async (t, program) => {
  const name = `ran-${programs.indexOf(program)}`;
  const image = [
    '--image=busybox',
    '--image-pull-policy=IfNotPresent',
    `--pod-running-timeout=${60 * patience}s`,
  ];
  const ran = await onTerminal(
    program,
    ['run', '-it', name, ...image, '--restart=Never', '--rm', '--', 'sh'],
    [
      { sees: '# ', act: type('stty size; echo hi-$((1+1))') },
      { sees: 'hi-2', act: type('exit 3') },
    ],
  );
  t.is(ran.stepsDone, 2, ran.screen);
  t.regex(ran.screen, /30 100/);
  t.is(ran.code, 3, ran.screen);
  await bench.gone(name);
});

withEach('exec without a terminal: input, output, errors and exit code apart', async (t, program) => {
  const script = 'cat; echo wrong >&2; exit 9';
  const answer = await call(program, ['exec', '-i', 'shells', '-c', 'main', '--', 'sh', '-c', script], {
    input: 'typed\n',
  });
  t.is(answer.stdout, 'typed\n');
  t.is(answer.stderr, 'wrong\ncommand terminated with exit code 9\n');
  t.is(answer.code, 9);
  const long = 'a'.repeat(20_000);
  const echoed = await call(program, ['exec', 'shells', '-c', 'main', '--', 'echo', long]);
  t.is(echoed.stdout, `${long}\n`, echoed.stderr);
  const missing = await call(program, ['exec', 'shells', '-c', 'main', '--', 'nosuchcommand']);
  t.regex(missing.stderr, /exec: "nosuchcommand": executable file not found in \$PATH/);
  t.not(missing.code, 0);
  const nobody = await call(program, ['exec', 'shells', '-c', 'nobody', '--', 'true']);
  t.regex(nobody.stderr, /container nobody is not valid for pod shells/);
});

withEach('cp both ways: a file with its bytes and mode, and a folder', async (t, program) => {
  const index = programs.indexOf(program);
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7 + index) % 256));
  const from = join(scratch, `from-${index}`);
  const back = join(scratch, `back-${index}`);
  writeFileSync(from, bytes);
  chmodSync(from, 0o755);
  done(t, await call(program, ['cp', from, `shells:/tmp/copied-${index}`, '-c', 'main']));
  const { stdout } = await call(program, [
    'exec',
    'shells',
    '-c',
    'main',
    '--',
    'stat',
    '-c',
    '%s %a',
    `/tmp/copied-${index}`,
  ]);
  t.is(stdout, '300000 755\n');
  done(t, await call(program, ['cp', `shells:/tmp/copied-${index}`, back, '-c', 'main']));
  t.true(readFileSync(back).equals(bytes));
  const folder = join(scratch, `folder-${index}`);
  done(t, await call(program, ['cp', 'shells:/www', folder, '-c', 'main']));
  t.is(readFileSync(join(folder, 'index.html'), 'utf8'), 'served\n');
});

withEach('port-forward serves several connections, and says when nobody listens', async (t, program) => {
  const forward = start(program, ['port-forward', 'pod/shells', ':8080', ':8099']);
  try {
    let said = '';
    forward.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    forward.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const port = (remote: number) =>
      until(`forwarding ${remote}`, () => new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${remote}`).exec(said)?.[1]);
    const url = `http://127.0.0.1:${await port(8080)}/`;
    const answers = await Promise.all([1, 2, 3].map(async () => (await fetch(url)).text()));
    t.deepEqual(answers, ['served\n', 'served\n', 'served\n']);
    await t.throwsAsync(fetch(`http://127.0.0.1:${await port(8099)}/`));
    await until('the refusal', () => /connection refused/i.test(said));
  } finally {
    forward.kill();
  }
});

withEach('logs -f ends with the container; --previous has the one before', async (t, program) => {
  const name = `twice-${programs.indexOf(program)}`;
  const script = `echo begins; until [ -e /tmp/end ]; do sleep 0.05; done; echo ends; exit 5`;
  await bench.create(name, { containers: [shell('main', `mkdir -p /tmp; ${script}`)] });
  await bench.running(t, name);
  const follow = start(program, ['logs', '-f', name]);
  let shown = '';
  follow.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const ended = once(follow, 'close');
  // Before the container may end: who begins later follows the one that comes after it.
  await until('the log is followed', () => shown === 'begins\n');
  const first = await bench.pod(name);
  done(t, await call(program, ['exec', name, '--', 'touch', '/tmp/end']));
  await ended;
  t.is(shown, 'begins\nends\n');
  const again = await bench.podUntil(
    t,
    name,
    ({ status }) =>
      status?.containerStatuses?.[0]?.restartCount === 1 &&
      status.containerStatuses[0].state?.running !== undefined,
  );
  const [status] = again.status?.containerStatuses ?? [];
  t.not(status?.containerID, first.status?.containerStatuses?.[0]?.containerID);
  t.like(status?.lastState?.terminated, { exitCode: 5, reason: 'Error' });
  t.is((await call(program, ['logs', name, '--previous'])).stdout, 'begins\nends\n');
  await until('the new log', async () => (await call(program, ['logs', name])).stdout === 'begins\n');
  const none = await call(program, ['logs', 'shells', '-c', 'main', '--previous']);
  t.regex(none.stderr, /previous terminated container "main" in pod "shells" not found/);
  await bench.remove(name, 0);
});

withEach('debug: an ephemeral container sees the processes of its target', async (t, program) => {
  const index = programs.indexOf(program);
  const name = `debugged-${index}`;
  await bench.create(name, { containers: [shell('main', `: target-${index}; ${forever}`)] });
  await bench.running(t, name);
  const debug = ['debug', name, '--image=busybox', '--image-pull-policy=IfNotPresent'];
  done(t, await call(program, [...debug, '--target=main', '-c', 'look', '--', 'sh', '-c', 'ps; exit 4']));
  const { status } = await bench.podUntil(
    t,
    name,
    (pod) => pod.status?.ephemeralContainerStatuses?.[0]?.state?.terminated !== undefined,
  );
  t.like(status?.ephemeralContainerStatuses?.[0]?.state?.terminated, { exitCode: 4, reason: 'Error' });
  t.regex(
    (await call(program, ['logs', name, '-c', 'look'])).stdout,
    new RegExp(` 1 root +sh -c : target-${index};`),
  );
  const wrong = await call(program, [...debug, '--target=nobody', '-c', 'wrong', '--', 'true']);
  t.regex(
    wrong.stderr,
    new RegExp(
      `The Pod "${name}" is invalid: spec\\.ephemeralContainers\\[1\\]\\.targetContainerName: Not found: "nobody"`,
    ),
  );
  await bench.remove(name, 0);
});

withEach('the verbs of every day', async (t, program) => {
  const name = `verbs-${programs.indexOf(program)}`;
  const ok = async (...args: string[]): Promise<string> => {
    const answer = await call(program, args);
    t.is(answer.code, 0, `${args.join(' ')}: ${answer.stderr}`);
    return answer.stdout;
  };
  t.is(await ok('create', 'configmap', name, '--from-literal=a=1'), `configmap/${name} created\n`);
  t.is(await ok('label', 'configmap', name, 'x=y', `own=${name}`), `configmap/${name} labeled\n`);
  t.is(await ok('annotate', 'configmap', name, 'q=z'), `configmap/${name} annotated\n`);
  t.is(await ok('patch', 'configmap', name, '-p', '{"data":{"b":"2"}}'), `configmap/${name} patched\n`);
  const remove = '[{"op":"remove","path":"/data/b"}]';
  t.is(await ok('patch', 'configmap', name, '--type=json', '-p', remove), `configmap/${name} patched\n`);
  t.is(await ok('get', 'configmap', name, '-o', 'jsonpath={.data}'), '{"a":"1"}');
  const editor = join(scratch, 'editor');
  writeFileSync(editor, '#!/bin/sh\nsed -i "s/x: .*/x: edited/" "$1"\n', { mode: 0o755 });
  const edited = await call(program, ['edit', 'configmap', name], {
    env: { KUBE_EDITOR: editor },
  });
  t.is(edited.stdout, `configmap/${name} edited\n`, edited.stderr);
  t.regex(
    await ok('get', 'configmap', '-l', `x=edited,own=${name}`, '--no-headers'),
    new RegExp(`^${name} +1 +[\\dms]+\n$`),
  );
  const manifest = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { a: '3' },
  });
  const applied = await call(program, ['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: manifest,
  });
  t.is(applied.stdout, `configmap/${name} serverside-applied\n`, applied.stderr);
  t.regex(
    await ok('describe', 'pod', 'shells'),
    /^Name: +shells\n[^]*Node: +node-1\/[^]*Containers:\n {2}main:/,
  );
  t.regex(
    await ok('explain', 'pod.spec.containers.image'),
    /^KIND: +Pod\nVERSION: +v1\n\nFIELD: image <string>/,
  );
  t.regex(await ok('api-resources'), /\npods +po +v1 +true +Pod\n/);
  t.is(
    await ok('wait', '--for=condition=Ready', 'pod/shells', `--timeout=${20 * patience}s`),
    'pod/shells condition met\n',
  );
  const watched = await call(program, [
    'get',
    'pods',
    'shells',
    '-w',
    '--no-headers',
    `--request-timeout=${2 * patience}s`,
  ]);
  t.regex(watched.stdout, /^shells +3\/3 +Running +0 +/);
  t.regex(await ok('delete', 'configmap', name), new RegExp(`^configmap "${name}" deleted`));
  t.regex(await ok('version'), /Server Version: v1\.36\./);
});
