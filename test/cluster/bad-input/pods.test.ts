import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import type { Container, PodSpec } from '../../../api/types.ts';
import { startCluster } from '../../../cluster/index.ts';
import { configMaps } from '../../../client/resources.ts';
import { listDaemons } from '../../../cluster/daemons.ts';
import { run } from '../../../linux/command.ts';
import { podBench, shell } from '../pods/pod-bench.ts';
import type { PodBench } from '../pods/pod-bench.ts';
import { tarOf } from './layer-tar.ts';
import { takeDown } from '../take-down.ts';

const test = anyTest as TestFn;
const namespace = 'default';
let bench: PodBench;
let scratch: string;
let daemons: ReturnType<typeof listDaemons>;

test.before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'xx-bad-input-'));
  bench = await podBench(await startCluster({ name: `xx-b${process.pid}` }));
  daemons = listDaemons(bench.cluster.name);
  const object = { metadata: { name: 'real', namespace }, data: { a: '1' } };
  await bench.client.resource(configMaps).create({ object });
});
test.after.always(async (t) => {
  if (bench !== undefined) t.deepEqual(listDaemons(bench.cluster.name), daemons, 'no daemon has ended');
  bench?.client.close();
  await takeDown(t, bench?.cluster);
  rmSync(scratch, { recursive: true, force: true });
});

interface Case {
  container?: Partial<Container>;
  spec?: Partial<PodSpec>;
}

let made = 0;

/** Creates a Pod with one container that would just end, but for what is wrong with it. */
async function create({ container = {}, spec = {} }: Case): Promise<string> {
  made += 1;
  const name = `bad-${made}`;
  await bench.create(name, {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    containers: [{ ...shell('main', 'true'), ...container }],
    ...spec,
  });
  return name;
}

/** The state of the container as soon as it waits or ended with the reason, and with words that fit. */
async function stateOf(
  t: ExecutionContext,
  name: string,
  reason: string,
  fits: (message: string, uid: string) => boolean = () => true,
) {
  const stateIn = (pod: Awaited<ReturnType<PodBench['pod']>>) => pod.status?.containerStatuses?.[0]?.state;
  const pod = await bench.podUntil(t, name, (found) => {
    const state = stateIn(found);
    const { reason: seen, message = '' } = state?.waiting ?? state?.terminated ?? {};
    return seen === reason && fits(message, found.metadata?.uid ?? '');
  });
  return { phase: pod.status?.phase, uid: pod.metadata?.uid, ...stateIn(pod) };
}

async function waits(t: ExecutionContext, given: Case, reason: string, message: string | RegExp) {
  const name = await create(given);
  // The first attempts may have failed for another cause: what is asked for was not known yet.
  const { phase } = await stateOf(t, name, reason, (text, uid) => {
    const said = text.replaceAll(uid, 'UID').replaceAll(name, 'NAME');
    return typeof message === 'string' ? said === message : message.test(said);
  });
  t.is(phase, 'Pending');
  await bench.remove(name, 0);
  return name;
}

async function ends(t: ExecutionContext, given: Case, exitCode: number, message: string) {
  const name = await create(given);
  const { status } = await bench.podUntil(t, name, (pod) => pod.status?.phase === 'Failed');
  const terminated = status?.containerStatuses?.[0]?.state?.terminated;
  t.is(terminated?.reason, exitCode === 128 ? 'StartError' : 'Error');
  t.is(terminated?.exitCode, exitCode);
  t.is(terminated?.message ?? '', message);
  if (message !== '') await bench.eventUntil(t, name, (event) => event.message === `Error: ${message}`);
  await bench.remove(name, 0);
}

async function failsToMount(
  t: ExecutionContext,
  volume: NonNullable<PodSpec['volumes']>[number],
  message: string,
) {
  const volumeMounts = [{ name: volume.name, mountPath: '/v' }];
  const name = await create({ container: { volumeMounts }, spec: { volumes: [volume] } });
  const expected = `MountVolume.SetUp failed for volume "${volume.name}" : ${message}`;
  const event = await bench.eventUntil(t, name, (one) => one.message === expected);
  t.is(event.type, 'Warning');
  t.is(event.reason, 'FailedMount');
  const { status } = await bench.pod(name);
  t.is(status?.phase, 'Pending');
  t.is(status?.containerStatuses?.[0]?.state?.waiting?.reason, 'ContainerCreating');
  await bench.remove(name, 0);
}

test('images: not present, out of reach, with no name', async (t) => {
  await waits(
    t,
    { container: { image: 'nosuch:1', imagePullPolicy: 'Never' } },
    'ErrImageNeverPull',
    'Container image "nosuch:1" is not present with pull policy of Never',
  );
  const image = '127.0.0.1:1/x/y:1';
  const reason = `failed to pull and unpack image "${image}": `;
  const name = await create({ container: { image } });
  const backOff = await stateOf(t, name, 'ImagePullBackOff');
  t.true(backOff.waiting?.message?.startsWith(`Back-off pulling image "${image}": ErrImagePull: `));
  t.true(backOff.waiting?.message?.includes(reason));
  t.true(backOff.waiting?.message?.endsWith('dial tcp 127.0.0.1:1: connect: connection refused'));
  const expected = [
    `Normal Pulling: Pulling image "${image}"`,
    `Warning Failed: Failed to pull image "${image}": rpc error: code = Unavailable desc = ${reason}`,
    'Warning Failed: Error: ErrImagePull',
    `Normal BackOff: Back-off pulling image "${image}"`,
    'Warning Failed: Error: ImagePullBackOff',
  ];
  for (const text of expected) {
    await bench.eventUntil(t, name, (event) =>
      `${event.type} ${event.reason}: ${event.message}`.startsWith(text),
    );
  }
  await bench.remove(name, 0);
  await waits(
    t,
    { container: { image: 'Bad//IMAGE::x' } },
    'InvalidImageName',
    'Failed to apply default image tag "Bad//IMAGE::x": couldn\'t parse image name "Bad//IMAGE::x": invalid reference format',
  );
});

test('configuration that is not there', async (t) => {
  const env = (key: object) => ({ container: { env: [{ name: 'A', valueFrom: key }] } });
  const reason = 'CreateContainerConfigError';
  await waits(t, env({ configMapKeyRef: { name: 'nope', key: 'k' } }), reason, 'configmap "nope" not found');
  await waits(t, env({ secretKeyRef: { name: 'nope', key: 'k' } }), reason, 'secret "nope" not found');
  await waits(
    t,
    env({ configMapKeyRef: { name: 'real', key: 'k' } }),
    reason,
    `couldn't find key k in ConfigMap ${namespace}/real`,
  );
  await waits(
    t,
    { container: { envFrom: [{ secretRef: { name: 'nope' } }] } },
    reason,
    'secret "nope" not found',
  );
});

test('a user that may not be root', async (t) => {
  const reason = 'CreateContainerConfigError';
  await waits(
    t,
    { container: { securityContext: { runAsNonRoot: true } } },
    reason,
    'container has runAsNonRoot and image will run as root (pod: "NAME_default(UID)", container: main)',
  );
  await waits(
    t,
    { container: { securityContext: { runAsNonRoot: true, runAsUser: 0 } } },
    reason,
    'container\'s runAsUser breaks non-root policy (pod: "NAME_default(UID)", container: main)',
  );
});

test('volumes of what is not there, or is something else', async (t) => {
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  const nope = join(scratch, 'nope');
  const hostPath = (path: string, type: string) => ({ name: 'v', hostPath: { path, type } });
  const wrong = (path: string, what: string) => `hostPath type check failed: ${path} is not a ${what}`;
  await failsToMount(t, { name: 'v', configMap: { name: 'nope' } }, 'configmap "nope" not found');
  await failsToMount(t, { name: 'v', secret: { secretName: 'nope' } }, 'secret "nope" not found');
  await failsToMount(
    t,
    { name: 'v', configMap: { name: 'real', items: [{ key: 'zz', path: 'zz' }] } },
    'configmap references non-existent config key: zz',
  );
  await failsToMount(t, hostPath(file, 'Directory'), wrong(file, 'directory'));
  await failsToMount(t, hostPath(scratch, 'File'), wrong(scratch, 'file'));
  await failsToMount(t, hostPath(nope, 'Socket'), wrong(nope, 'socket file'));
  await failsToMount(t, hostPath(file, 'CharDevice'), wrong(file, 'character device'));
  await failsToMount(t, hostPath(file, 'BlockDevice'), wrong(file, 'block device'));
  t.deepEqual(readdirSync(scratch).includes('nope'), false);
});

test('commands that can not be run', async (t) => {
  const prefix = 'unable to start container process: error during container init: exec: ';
  const command = (...words: string[]) => ({ container: { command: words } });
  await ends(
    t,
    command('nosuchcommand', 'a'),
    128,
    `${prefix}"nosuchcommand": executable file not found in $PATH`,
  );
  await ends(t, command('./nosuch'), 128, `${prefix}"./nosuch": stat ./nosuch: no such file or directory`);
  await ends(t, command('/etc/passwd'), 128, `${prefix}"/etc/passwd": permission denied`);
  await ends(t, command('/etc'), 128, `${prefix}"/etc": is a directory`);
  await ends(t, command('sh', '-c', 'nosuch'), 127, '');
  await ends(
    t,
    { container: { workingDir: '/etc/passwd/x' } },
    128,
    'unable to start container process: error during container init: mkdir /etc/passwd/x: not a directory',
  );
});

test('a repository whose name would be an option of git', async (t) => {
  const repository = `--upload-pack=touch ${scratch}/written`;
  await failsToMount(
    t,
    { name: 'v', gitRepo: { repository, directory: '.' } },
    `"${repository}" is an invalid value for repository`,
  );
  t.false(existsSync(join(scratch, 'written')));
});

test('sub paths through symbolic links that lead out', async (t) => {
  const shared = join(scratch, 'shared');
  const outside = join(scratch, 'outside');
  mkdirSync(shared);
  mkdirSync(outside);
  symlinkSync(outside, join(shared, 'absolute'));
  symlinkSync('../outside', join(shared, 'relative'));
  for (const subPath of ['absolute', 'relative', 'absolute/made', 'relative/made']) {
    const given = {
      container: { volumeMounts: [{ name: 'v', mountPath: '/v', subPath }] },
      spec: { volumes: [{ name: 'v', hostPath: { path: shared } }] },
    };
    const message = 'failed to prepare subPath for volumeMount "v" of container "main"';
    await waits(t, given, 'CreateContainerConfigError', message);
  }
  t.deepEqual(readdirSync(outside), []);
});

test('an image whose layers lead out stays inside', async (t) => {
  const outside = join(scratch, 'image-outside');
  mkdirSync(outside);
  const busybox = '/bin/busybox';
  const layer = tarOf([
    { name: '../../../../../../../../../tmp/xx-escaped-by-dots', type: 'file', value: 'x' },
    { name: `..${outside}/dots`, type: 'file', value: 'x' },
    { name: 'absolute', type: 'symlink', value: outside },
    { name: 'absolute/through-link', type: 'file', value: 'x' },
    { name: 'up', type: 'symlink', value: `../../../../../../../../../..${outside}` },
    { name: 'up/through-link', type: 'file', value: 'x' },
    { name: 'shadow', type: 'hardlink', value: '/etc/shadow' },
    { name: busybox, type: 'file', value: '' },
  ]);
  const error = await t.throwsAsync(load('leads-out:1', layer));
  t.regex(
    error?.message ?? '',
    /podwright: layer entry "[./]+\/tmp\/xx-escaped-by-dots" leads out of the image$/,
  );
  t.deepEqual(readdirSync(outside), []);
  t.false(existsSync('/tmp/xx-escaped-by-dots'));
});

test('an image whose folders are links to folders of the host gets its own folders of that name', async (t) => {
  const outside = join(scratch, 'linked');
  mkdirSync(outside);
  writeFileSync(join(outside, 'passwd'), 'evil:x:0:0::/:/bin/sh\n');
  const link = (name: string, value: string) => ({ name, type: 'symlink' as const, value });
  const layer = tarOf([
    { name: 'bin/busybox', type: 'file', value: readFileSync('/bin/busybox'), mode: '0755' },
    link('bin/sh', 'busybox'),
    link('etc', `../../../../..${outside}`),
    link('data', outside),
    link('made', outside),
  ]);
  await load('links:1', layer);
  const image = { image: 'links:1', imagePullPolicy: 'Never', workingDir: '/made/deep' };
  const script = 'busybox pwd; echo x > /data/written; echo y > /etc/written; busybox ls /data /etc/';
  const container = { ...image, command: ['/bin/sh', '-c', script] };
  const volumeMounts = [{ name: 'v', mountPath: '/data' }];
  const name = await create({
    container: { ...container, volumeMounts },
    spec: { volumes: [{ name: 'v', emptyDir: {} }] },
  });
  await bench.podUntil(t, name, ({ status }) => status?.phase === 'Succeeded');
  t.regex(await bench.kubectl('logs', name), /\/linked\/deep\n[^]*written/);
  t.deepEqual(readdirSync(outside), ['passwd'], 'the host’s folder is as it was');
  await bench.remove(name, 0);
});

async function load(tag: string, layer: Buffer): Promise<void> {
  const file = join(scratch, `${tag}.tar`);
  writeFileSync(file, dockerArchive(tag, layer));
  await podwright('image', 'load', '--name', bench.cluster.name, file);
}

const podwright = (...args: string[]) =>
  run(new URL('../../../scripts/podwright', import.meta.url).pathname, args);

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');

/** An image of one layer, as `docker save` writes it. */
function dockerArchive(tag: string, layer: Buffer): Buffer {
  const layerName = `${sha256(layer)}.tar`;
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  });
  const configName = `${sha256(config)}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [tag], Layers: [layerName] }]);
  return tarOf([
    { name: 'manifest.json', type: 'file', value: manifest },
    { name: configName, type: 'file', value: config },
    { name: layerName, type: 'file', value: layer },
  ]);
}

test('a folder in place of a file, and a capability that does not exist', async (t) => {
  await ends(
    t,
    {
      container: { volumeMounts: [{ name: 'v', mountPath: '/etc/passwd' }] },
      spec: { volumes: [{ name: 'v', emptyDir: {} }] },
    },
    128,
    'unable to start container process: error during container init: error mounting to rootfs at "/etc/passwd": not a directory: are you trying to mount a directory onto a file (or vice-versa)?',
  );
  await waits(
    t,
    { container: { securityContext: { capabilities: { add: ['NOT_A_CAP'] } } } },
    'CreateContainerError',
    'unknown capability "NOT_A_CAP"',
  );
});

test.after('the node runs the next Pod', async (t) => {
  const name = await create({});
  await bench.podUntil(t, name, ({ status }) => status?.phase === 'Succeeded');
});
