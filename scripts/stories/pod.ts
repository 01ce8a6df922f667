import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { upWithProgress } from '../../cli/up-progress.ts';
import { clientFromKubeconfig } from '../../client/kubeconfig.ts';
import { configMaps } from '../../client/resources.ts';
import { startNode, stopNode } from '../../cluster/node-daemons.ts';
import { clusterPaths, nodePaths } from '../../cluster/paths.ts';
import { credentials, keeper, NAMESPACE, settings, wantsMissing, web } from './manifests.ts';
import { patience, storyteller, tell } from './storyteller.ts';

const CLUSTER = process.argv[2] ?? 'demo';
const NODE = 'node-1';
/** Any folder of the host would do; this one goes with the cluster. */
const HOST_FOLDER = join(clusterPaths(CLUSTER).state, 'host-folder');
/** Ends the container after the command itself has ended: else its own end would be the container's. */
const STOP_SOON = `(sleep ${0.2 * patience}; kill 1) >/dev/null 2>&1 &`;
const WAIT = `--timeout=${60 * patience}s`;
const inNamespace = ['-n', NAMESPACE];

await tell(CLUSTER, () => upWithProgress({ name: CLUSTER }));
const story = await storyteller(CLUSTER);
await tell(CLUSTER, async () => {
  await startAfresh();
  await twoContainersAndPause();
  localhostIsShared();
  await emptyDirSurvivesRestart();
  await hostPathOutlivesPod();
  await configMapHotReload();
  secretOnTmpfs();
  await downwardApi();
  logsAndExec();
  await podsOutliveDaemons();
  await missingConfigMapHeals();
  story.howToGoOn(['get pods -A -o wide']);
});

async function startAfresh(): Promise<void> {
  story.quietly('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait');
  rmSync(HOST_FOLDER, { recursive: true, force: true });
  mkdirSync(HOST_FOLDER);
  story.quietly('create', 'namespace', NAMESPACE);
  await story.until('the namespace has its service account', () =>
    story.quietly('get', 'serviceaccounts', ...inNamespace, '-o', 'name').includes('default'),
  );
}

async function twoContainersAndPause(): Promise<void> {
  story.step('A Pod: two containers, and the pause process that holds their namespaces');
  story.apply(settings('good morning'), credentials('swordfish'), web);
  story.kubectl('wait', '--for=condition=Ready', 'pod/web', ...inNamespace, WAIT);
  story.kubectl('get', 'pod', 'web', ...inNamespace, '-o', 'wide');
  const { pause, server, visitor } = processesOfWeb();
  const pids = [pause, server, visitor].join(',');
  story.host('ps', '-o', 'pid,ppid,args', '-p', pids);
  for (const pid of [pause, server, visitor])
    story.host('lsns', '-p', String(pid), '-o', 'TYPE,NS,NPROCS,PID,COMMAND');
  const same = (kind: string): boolean =>
    new Set([pause, server, visitor].map((pid) => namespace(pid, kind))).size === 1;
  story.check(
    'pause and both containers share the network, IPC and UTS namespaces',
    ['net', 'ipc', 'uts'].every(same),
  );
  story.check('each container has its own mount and PID namespace', !same('mnt') && !same('pid'));
}

function localhostIsShared(): void {
  story.step('Containers of one Pod meet on localhost');
  story.quietly(
    'exec',
    'web',
    '-c',
    'visitor',
    ...inNamespace,
    '--',
    'sh',
    '-c',
    'echo hello from emptyDir > /data/index.html',
  );
  const page = story.kubectl(
    'exec',
    'web',
    '-c',
    'visitor',
    ...inNamespace,
    '--',
    'wget',
    '-qO-',
    'http://localhost:8080/',
  );
  story.check(
    'the visitor reads over localhost what it wrote into the shared emptyDir',
    page === 'hello from emptyDir',
  );
}

async function emptyDirSurvivesRestart(): Promise<void> {
  story.step('An emptyDir survives the restart of a container');
  story.kubectl('exec', 'web', '-c', 'server', ...inNamespace, '--', 'sh', '-c', STOP_SOON);
  await story.until('the server was restarted', () => (restartsOf('server') === '1' ? true : undefined));
  story.kubectl('wait', '--for=condition=Ready', 'pod/web', ...inNamespace, WAIT);
  story.kubectl('get', 'pod', 'web', ...inNamespace);
  const text = story.kubectl('exec', 'web', '-c', 'server', ...inNamespace, '--', 'cat', '/www/index.html');
  story.check('the new container finds the file', text === 'hello from emptyDir');
}

async function hostPathOutlivesPod(): Promise<void> {
  story.step('A hostPath outlives its Pod');
  story.apply(keeper('writer', HOST_FOLDER, 'echo written by the first Pod > /host/note'));
  await succeeded('writer');
  story.kubectl('delete', 'pod', 'writer', ...inNamespace);
  story.apply(keeper('reader', HOST_FOLDER, 'cat /host/note'));
  await succeeded('reader');
  const note = story.kubectl('logs', 'reader', ...inNamespace);
  story.check(
    'the second Pod reads what the first one left on the host',
    note === 'written by the first Pod',
  );
}

async function configMapHotReload(): Promise<void> {
  story.step('A ConfigMap update reaches the mounted file in milliseconds');
  const file = join(volumesOfWeb(), 'kubernetes.io~configmap', 'settings', 'greeting');
  const greeting = 'good evening';
  story.say(`patching the ConfigMap and watching ${file}`);
  const client = clientFromKubeconfig(clusterPaths(CLUSTER).kubeconfig);
  await client
    .resource(configMaps)
    .patch({ name: 'settings', namespace: NAMESPACE, type: 'merge', patch: { data: { greeting } } });
  const acknowledged = performance.now();
  await story.until('the file has the new text', () => {
    return readFileSync(file, 'utf8') === greeting ? true : undefined;
  });
  story.say(
    `${(performance.now() - acknowledged).toFixed(1)} ms from the acknowledged write to the new file`,
  );
  client.close();
  story.kubectl('exec', 'web', '-c', 'visitor', ...inNamespace, '--', 'ls', '-la', '/etc/settings');
  const seen = story.kubectl(
    'exec',
    'web',
    '-c',
    'visitor',
    ...inNamespace,
    '--',
    'cat',
    '/etc/settings/greeting',
  );
  story.check('the container reads the new text, swapped in by one rename of ..data', seen === greeting);
}

function secretOnTmpfs(): void {
  story.step('A Secret lives on tmpfs and reaches no disk');
  const folder = join(volumesOfWeb(), 'kubernetes.io~secret', 'credentials');
  const type = story.host('findmnt', '-n', '-o', 'FSTYPE,TARGET', '--target', folder);
  story.check('the volume is a tmpfs', type.startsWith('tmpfs'));
  const password = story.kubectl(
    'exec',
    'web',
    '-c',
    'visitor',
    ...inNamespace,
    '--',
    'cat',
    '/etc/credentials/password',
  );
  story.check('the container reads the password', password === 'swordfish');
  const { store } = clusterPaths(CLUSTER);
  const files = readdirSync(store, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const found = files.some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes('swordfish'));
  story.check(`no file of the store in ${store} holds its bytes`, files.length > 0 && !found);
}

async function downwardApi(): Promise<void> {
  story.step('Downward API: a Pod reads about itself');
  const read = [
    'exec',
    'web',
    '-c',
    'visitor',
    ...inNamespace,
    '--',
    'cat',
    '/etc/about-me/name',
    '/etc/about-me/labels',
  ];
  story.kubectl(...read);
  story.kubectl('label', 'pod', 'web', ...inNamespace, 'tier=back', '--overwrite');
  await story.until('the file has the new label', () =>
    story.quietly(...read).includes('tier="back"') ? true : undefined,
  );
  story.check('a new label appears in the running container', story.kubectl(...read).includes('tier="back"'));
}

function logsAndExec(): void {
  story.step('Logs and exec');
  const logs = story.kubectl('logs', 'web', '-c', 'server', ...inNamespace);
  story.check('the log has what the container printed', logs.includes('serving /www on 8080'));
  const name = story.kubectl('exec', 'web', '-c', 'visitor', ...inNamespace, '--', 'hostname');
  story.check("the host name is the Pod's", name === 'web');
}

async function podsOutliveDaemons(): Promise<void> {
  story.step('Pods outlive the daemons: SIGKILL to kubelet and runtime');
  const before = processesOfWeb();
  story.say(
    `$ podwright node kill ${NODE} --name ${CLUSTER} && podwright node start ${NODE} --name ${CLUSTER}`,
  );
  await stopNode(CLUSTER, NODE, 'SIGKILL');
  await startNode(CLUSTER, NODE);
  const pods = story.kubectl('get', 'pod', 'web', ...inNamespace);
  story.host('ps', '-o', 'pid,lstart,args', '-p', Object.values(before).join(','));
  const after = processesOfWeb();
  story.check('every process has its old PID', JSON.stringify(after) === JSON.stringify(before));
  story.check('nothing was restarted', /\s2\/2\s+Running\s+1\s/.test(pods));
}

async function missingConfigMapHeals(): Promise<void> {
  story.step('A Pod that cannot start says why, and starts as soon as it can');
  story.apply(wantsMissing);
  const reason = [
    'get',
    'pod',
    'stuck',
    ...inNamespace,
    '-o',
    'jsonpath={.status.containerStatuses[0].state.waiting}',
  ];
  await story.until('the Pod says why', () =>
    story.quietly(...reason).includes('CreateContainerConfigError') ? true : undefined,
  );
  const told = story.kubectl(...reason);
  story.check(
    'the status names the missing object',
    told.includes('configmap \\"later\\" not found') || told.includes('configmap "later" not found'),
  );
  story.kubectl('create', 'configmap', 'later', ...inNamespace, '--from-literal=mode=fast');
  story.kubectl('wait', '--for=condition=Ready', 'pod/stuck', ...inNamespace, WAIT);
  const mode = story.kubectl('exec', 'stuck', ...inNamespace, '--', 'sh', '-c', 'echo $MODE');
  story.check('the container has the value', mode === 'fast');
}

async function succeeded(pod: string): Promise<void> {
  story.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${pod}`, ...inNamespace, WAIT);
}

function restartsOf(container: string): string {
  return story.quietly(
    'get',
    'pod',
    'web',
    ...inNamespace,
    '-o',
    `jsonpath={.status.containerStatuses[?(@.name=="${container}")].restartCount}`,
  );
}

function uidOfWeb(): string {
  return story.quietly('get', 'pod', 'web', ...inNamespace, '-o', 'jsonpath={.metadata.uid}');
}

function volumesOfWeb(): string {
  return join(nodePaths(CLUSTER, NODE).kubelet, 'pods', uidOfWeb(), 'volumes');
}

function namespace(pid: number, kind: string): string {
  return readlinkSync(`/proc/${pid}/ns/${kind}`);
}

/** PIDs of the Pod's first processes, found as anyone can: by the Pod's cgroup in /proc. */
function processesOfWeb(): { pause: number; server: number; visitor: number } {
  const uid = uidOfWeb();
  const own = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && textOf(`/proc/${entry}/cgroup`).includes(`pod${uid}`))
    .map((entry) => ({
      pid: Number(entry),
      command: textOf(`/proc/${entry}/cmdline`).replaceAll('\0', ' '),
    }));
  const find = (pattern: RegExp): number => {
    const found = own.find(({ command }) => pattern.test(command));
    if (found === undefined) throw new Error(`no process of Pod web looks like ${pattern}`);
    return found.pid;
  };
  return { pause: find(/pause/), server: find(/^sh -c .*serving/), visitor: find(/^sh -c .*sleep 1/) };
}

/** A process may end while it is looked at. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
