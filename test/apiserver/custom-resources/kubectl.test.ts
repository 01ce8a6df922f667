import test from 'ava';
import { kubectlFromPackage } from '../../../cli/find-kubectl.ts';
import { patience } from '../../environment.ts';
import { startTestServer } from '../test-server.ts';
import { definitionOf, versionOf, widget } from './definitions.ts';

const SPEC = {
  type: 'object',
  description: 'What is wanted.',
  required: ['size'],
  properties: {
    size: { type: 'integer', description: 'How many.' },
    target: { 'x-kubernetes-int-or-string': true, description: 'Name or number.' },
    items: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
  },
};

const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas' };
const definition = definitionOf([
  versionOf(SPEC, {
    subresources: { status: {}, scale },
    additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
  }),
]);
definition.spec.names = { ...definition.spec.names, shortNames: ['wd'], categories: ['all'] };

interface Run {
  args: string;
  stdout?: RegExp;
  stderr?: RegExp;
  code?: number;
  input?: object;
}

/** What each verb prints; the order matters. */
const RUNS: Run[] = [
  {
    args: 'apply -f -',
    input: widget('one'),
    stderr: /no matches for kind "Widget" in version "example.com\/v1"\nensure CRDs are installed first/,
    code: 1,
  },
  {
    args: 'apply -f -',
    input: definition,
    stdout: /^customresourcedefinition.apiextensions.k8s.io\/widgets.example.com created\n$/,
  },
  {
    args: 'wait --for=condition=Established crd/widgets.example.com --timeout=10s',
    stdout: /condition met\n$/,
  },
  { args: 'get wd', stderr: /No resources found in default namespace\./ },
  { args: 'apply -f -', input: widget('one', { size: 1 }), stdout: /^widget.example.com\/one created\n$/ },
  { args: 'apply -f -', input: widget('one', { size: 2 }), stdout: /^widget.example.com\/one configured\n$/ },
  {
    args: 'apply -f -',
    input: widget('one', { size: 'x' }),
    stderr: /spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"/,
    code: 1,
  },
  {
    args: 'apply -f -',
    input: widget('one', { size: 1, odd: 1 }),
    stderr: /strict decoding error: unknown field "spec.odd"/,
    code: 1,
  },
  {
    args: 'apply --server-side --force-conflicts -f -',
    input: widget('one', { size: 3 }),
    stdout: /serverside-applied\n$/,
  },
  { args: 'get widgets', stdout: /^NAME +SIZE\none +3\n$/ },
  { args: 'get all', stdout: /widget.example.com\/one +3\n/ },
  { args: 'scale widget/one --replicas=5', stdout: /^widget.example.com\/one scaled\n$/ },
  { args: 'get wd one -o jsonpath={.spec.size}', stdout: /^5$/ },
  { args: 'patch wd one --type=merge -p {"spec":{"size":6}}', stdout: /patched\n$/ },
  {
    args: 'patch wd one --subresource=status --type=merge -p {"status":{"ready":true}}',
    stdout: /patched\n$/,
  },
  { args: 'label wd one a=b', stdout: /labeled\n$/ },
  { args: 'wait --for=jsonpath={.status.ready}=true wd/one --timeout=10s', stdout: /condition met\n$/ },
  { args: 'explain widget', stdout: /KIND: +Widget\nVERSION: +v1\n[^]*spec\t<Object>\n +What is wanted\./ },
  { args: 'explain widget.spec.size', stdout: /FIELD: size <integer>\n[^]*How many\./ },
  { args: 'explain widget.spec --recursive', stdout: /items\t<\[\]Object>\n +name\t<string>/ },
  { args: 'explain widget.metadata.name', stdout: /FIELD: name <string>/ },
  { args: 'api-resources --api-group=example.com', stdout: /widgets +wd +example.com\/v1 +true +Widget\n/ },
  { args: 'describe wd one', stdout: /Name: +one\n[^]*Spec:\n +Size: +6\n/ },
  { args: 'delete wd one', stdout: /^widget.example.com "one" deleted/ },
  { args: 'delete crd widgets.example.com', stdout: /"widgets.example.com" deleted/ },
  {
    args: 'get wd',
    stderr: /the server (doesn't have a resource type "wd"|could not find the requested resource)/,
    code: 1,
  },
];

test('kubectl does all its verbs on a kind that it has never heard of', async (t) => {
  t.timeout(120_000 * patience);
  const server = await startTestServer(t);
  const binary = await kubectlFromPackage();
  for (const { args, stdout, stderr, code = 0, input } of RUNS) {
    const result = await server.kubectl(args.split(' '), {
      binary,
      ...(input !== undefined && { input: JSON.stringify(input) }),
    });
    const shown = `kubectl ${args}: ${JSON.stringify(result)}`;
    t.is(result.code, code, shown);
    if (stdout !== undefined) t.regex(result.stdout, stdout, shown);
    if (stderr !== undefined) t.regex(result.stderr, stderr, shown);
  }
});

test('a definition and its first object never race', async (t) => {
  t.timeout(120_000 * patience);
  const server = await startTestServer(t);
  const binary = await kubectlFromPackage();
  for (const plural of ['aaas', 'bbbs']) {
    const kind = plural.toUpperCase();
    const input = JSON.stringify(definitionOf(undefined, { plural, kind }));
    const applied = await server.kubectl(['apply', '-f', '-'], { binary, input });
    t.is(applied.code, 0, applied.stderr);
    const read = await server.kubectl(['get', `${plural}.example.com`], { binary });
    t.is(read.code, 0, read.stderr);
    const object = { ...widget('one'), kind };
    const made = await server.kubectl(['create', '-f', '-'], { binary, input: JSON.stringify(object) });
    t.is(made.code, 0, made.stderr);
  }
});
