import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { stringify } from 'yaml';
import { optionsFromKubeconfig } from '../../client/kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'cc-kubeconfig-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
};

const config = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'one',
  contexts: [
    { name: 'one', context: { cluster: 'c', user: 'data' } },
    { name: 'two', context: { cluster: 'c', user: 'files' } },
    { name: 'bad', context: { cluster: 'c', user: 'nobody' } },
  ],
  clusters: [{ name: 'c', cluster: { server: 'https://h:1', 'certificate-authority-data': 'Q0E=' } }],
  users: [
    { name: 'data', user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' } },
    {
      name: 'files',
      user: { 'client-certificate': 'cert.pem', 'client-key': 'key.pem', tokenFile: 'token' },
    },
  ],
};

test('reads certificates from data and from files beside it, and tokens anew each time', (t) => {
  const path = write('config', config);
  write('cert.pem', 'cert from file');
  write('key.pem', 'key from file');
  write('token', 'first\n');
  const one = optionsFromKubeconfig(path);
  t.deepEqual(
    [one.server, String(one.ca), String(one.cert), String(one.key)],
    ['https://h:1', 'CA', 'CERT', 'KEY'],
  );
  const two = optionsFromKubeconfig(path, { context: 'two' });
  t.deepEqual([String(two.cert), String(two.key)], ['cert from file', 'key from file']);
  const token = two.token as () => string;
  t.is(token(), 'first');
  write('token', 'second\n');
  t.is(token(), 'second');
});

test('names what is missing', (t) => {
  const path = write('broken', config);
  t.throws(() => optionsFromKubeconfig(path, { context: 'three' }), {
    message: `${path}: no context is named "three"`,
  });
  t.throws(() => optionsFromKubeconfig(path, { context: 'bad' }), {
    message: `${path}: no user is named "nobody"`,
  });
});
