import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import { startCluster } from '../../../cluster/index.ts';
import type { Cluster } from '../../../cluster/index.ts';
import { kubectl } from '../as-user.ts';
import { takeDown } from '../take-down.ts';

const test = anyTest as TestFn;
let cluster: Cluster;

test.before(async () => {
  cluster = await startCluster({ name: `xx-m${process.pid}` });
});
test.after.always(async (t) => takeDown(t, cluster));

const apply = (manifest: string, ...args: string[]) =>
  kubectl(['apply', '-f', '-', ...args], { kubeconfig: cluster.kubeconfig, input: manifest });

/** A request's body as it is, past everything that kubectl does with manifests. */
const post = (path: string, body: string) =>
  kubectl(['create', '--raw', path, '-f', '-'], { kubeconfig: cluster.kubeconfig, input: body });

async function refused(t: ExecutionContext, answer: ReturnType<typeof kubectl>, words: string | RegExp) {
  const { code, stderr } = await answer;
  t.is(code, 1, stderr);
  if (typeof words === 'string') t.is(stderr, `${words}\n`);
  else t.regex(stderr, words);
}

const pod = (name: string, spec: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: Never
${spec}`;

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

test('a file that is no YAML, and one that is no object', async (t) => {
  await refused(
    t,
    apply('kind: Pod\n labels: {a\n'),
    /^error: error parsing STDIN: error converting YAML to JSON: yaml: line 2: mapping values are not allowed/,
  );
  await refused(t, apply('just words'), /^error: error (parsing|validating) (STDIN|"STDIN")/);
});

test('a kind or a version that is not served', async (t) => {
  await refused(
    t,
    apply('apiVersion: v9\nkind: Pod\nmetadata: {name: x}\n'),
    'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Pod" in version "v9"\nensure CRDs are installed first',
  );
  await refused(
    t,
    apply('apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\n'),
    'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Thing" in version "example.com/v1"\nensure CRDs are installed first',
  );
});

test('unknown fields are refused, warned of or dropped, as kubectl asks', async (t) => {
  const manifest = pod('unknown', '  bogus: 1\n  containers: [{name: c, image: busybox, foo: bar}]\n');
  const found = 'unknown field "spec.bogus", unknown field "spec.containers[0].foo"';
  const strict = `Pod in version "v1" cannot be handled as a Pod: strict decoding error: ${found}`;
  const byDefault = `Error from server (BadRequest): error when creating "STDIN": ${strict}`;
  await refused(t, apply(manifest), byDefault);
  await refused(t, apply(manifest, '--validate=strict'), byDefault);
  const undeclared = ['.spec.bogus', '.spec.containers[name="c"].foo'].map(
    (path) => `${path}: field not declared in schema`,
  );
  const untyped = [
    'failed to create typed patch object (default/unknown; /v1, Kind=Pod): errors:',
    ...undeclared,
  ];
  for (const validate of ['--validate=strict', '--validate=ignore'])
    await refused(
      t,
      apply(manifest, '--server-side', validate),
      `Error from server: ${untyped.join('\n  ')}`,
    );

  const warned = await apply(manifest, '--validate=warn', '--dry-run=server');
  t.deepEqual(warned, {
    code: 0,
    stdout: 'pod/unknown created (server dry run)\n',
    stderr: 'Warning: unknown field "spec.bogus"\nWarning: unknown field "spec.containers[0].foo"\n',
  });
  const ignored = await apply(manifest, '--validate=ignore', '-o', 'json', '--dry-run=server');
  t.is(ignored.code, 0);
  t.is(ignored.stderr, '');
  const { spec } = JSON.parse(ignored.stdout) as { spec: Record<string, unknown> };
  t.false('bogus' in spec, 'an unknown field is not kept');
});

test('a field given twice', async (t) => {
  const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}';
  await refused(
    t,
    post(`${CONFIG_MAPS}?fieldValidation=Strict`, body),
    'Error from server (BadRequest): ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
  );
});

test('values of another type are refused, whatever kubectl asks', async (t) => {
  const server = 'Error from server (BadRequest): error when creating "STDIN":';
  const port = pod(
    'types',
    '  containers: [{name: c, image: busybox, ports: [{containerPort: "eighty"}]}]\n',
  );
  const object = pod('types', '  containers: {name: c, image: busybox}\n');
  for (const validate of ['--validate=strict', '--validate=ignore']) {
    await refused(
      t,
      apply(port, validate),
      `${server} Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32`,
    );
    await refused(
      t,
      apply(object, validate),
      `${server} Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container`,
    );
  }
});

test('values that are not valid are all named at once, by their paths', async (t) => {
  const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: Wrong_Name}
spec:
  restartPolicy: Sometimes
  containers:
  - {name: "A b", imagePullPolicy: X, volumeMounts: [{name: nope, mountPath: ""}]}
`;
  const subdomain = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
  const label = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`;
  await refused(
    t,
    apply(manifest),
    [
      'The Pod "Wrong_Name" is invalid: ',
      `* metadata.name: Invalid value: "Wrong_Name": ${subdomain}`,
      `* spec.containers[0].name: Invalid value: "A b": ${label}`,
      '* spec.containers[0].image: Required value',
      '* spec.containers[0].volumeMounts[0].name: Not found: "nope"',
      '* spec.containers[0].volumeMounts[0].mountPath: Required value',
      '* spec.containers[0].imagePullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
      '* spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ].join('\n'),
  );
});

test('names and paths that lead out of their folder', async (t) => {
  const named = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  await refused(
    t,
    post(CONFIG_MAPS, named('../x')),
    /^The ConfigMap "\.\.\/x" is invalid: metadata\.name: Invalid/,
  );
  await refused(
    t,
    post(CONFIG_MAPS, named('..')),
    /^The ConfigMap "\.\." is invalid: metadata\.name: Invalid/,
  );
  const data = { '..': 'x', 'a/b': 'y', '..data': 'z' };
  await refused(
    t,
    post(
      CONFIG_MAPS,
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'keys' }, data }),
    ),
    /data\[\.\.\]: Invalid value: "\.\.": must not be '\.\.'[^]*data\[a\/b\]: Invalid value: "a\/b"[^]*data\[\.\.data\]: Invalid value: "\.\.data": must not start with '\.\.'/,
  );
  const mounts = (mount: string, volume: string) =>
    pod(
      'paths',
      `  containers: [{name: c, image: busybox, volumeMounts: [${mount}]}]\n  volumes: [${volume}]\n`,
    );
  await refused(
    t,
    apply(mounts('{name: v, mountPath: /v, subPath: ../x}', '{name: v, emptyDir: {}}')),
    `The Pod "paths" is invalid: spec.containers[0].volumeMounts.subPath: Invalid value: "../x": must not contain '..'`,
  );
  await refused(
    t,
    apply(mounts('{name: v, mountPath: /v, subPath: /x}', '{name: v, emptyDir: {}}')),
    'The Pod "paths" is invalid: spec.containers[0].volumeMounts.subPath: Invalid value: "/x": must be a relative path',
  );
  await refused(
    t,
    apply(mounts('', '{name: v, gitRepo: {repository: "https://example.com/x", directory: ../../x}}')),
    `The Pod "paths" is invalid: spec.volumes[0].gitRepo.directory: Invalid value: "../../x": must not contain '..'`,
  );
  await refused(
    t,
    apply(mounts('', '{name: v, configMap: {name: c, items: [{key: k, path: ../../etc/x}]}}')),
    `The Pod "paths" is invalid: spec.volumes[0].configMap.items[0].path: Invalid value: "../../etc/x": must not contain '..'`,
  );
  await refused(
    t,
    apply(mounts('', '{name: v, hostPath: {path: /tmp/../etc}}')),
    `The Pod "paths" is invalid: spec.volumes[0].hostPath.path: Invalid value: "/tmp/../etc": must not contain '..'`,
  );
});

test('a body that is broken off, or is of another kind', async (t) => {
  const path = '/api/v1/namespaces/default/pods';
  await refused(
    t,
    post(path, '{"apiVersion":"v1","kind":"Pod","metadata":'),
    /^Error from server \(BadRequest\): /,
  );
  await refused(
    t,
    post(path, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}'),
    /^Error from server \(BadRequest\): ConfigMap in version "v1" cannot be handled as a Pod: /,
  );
});

test('what may not change says what has changed', async (t) => {
  const run = (...args: string[]) => kubectl(args, { kubeconfig: cluster.kubeconfig });
  t.is(
    (await apply(pod('fixed', '  containers: [{name: c, image: busybox, command: [sleep, "1"]}]\n'))).code,
    0,
  );
  const { code, stderr } = await run(
    'patch',
    'pod',
    'fixed',
    '--type=merge',
    '-p',
    '{"spec":{"hostNetwork":true}}',
  );
  t.is(code, 1);
  t.regex(
    stderr,
    /^The Pod "fixed" is invalid: spec: Forbidden: pod updates may not change fields other than /,
  );
  const changed = stderr.split('\n').filter((line) => /^[-+]/.test(line));
  t.deepEqual(
    changed.filter((line) => !/^[-+] [ \]}]*,?$/.test(line)),
    ['+ "hostNetwork": true,'],
    stderr,
  );
  await run('delete', 'pod', 'fixed', '--now');
});
