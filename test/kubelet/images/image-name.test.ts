import test from 'ava';
import { registryOf, withDefaultTag } from '../../../kubelet/images/image-name.ts';
import { credentialsFor } from '../../../kubelet/images/pull-credentials.ts';

test('tags and registries', (t) => {
  t.is(withDefaultTag('busybox'), 'busybox:latest');
  t.is(withDefaultTag('busybox:1.36'), 'busybox:1.36');
  t.is(withDefaultTag('localhost:5000/a/b'), 'localhost:5000/a/b:latest');
  const digest = `busybox@sha256:${'0'.repeat(64)}`;
  t.is(withDefaultTag(digest), digest);
  t.throws(() => withDefaultTag('Busybox'), {
    message:
      'couldn\'t parse image name "Busybox": invalid reference format: repository name (library/Busybox) must be lowercase',
  });
  t.throws(() => withDefaultTag('a b'), {
    message: 'couldn\'t parse image name "a b": invalid reference format',
  });
  t.is(registryOf('busybox'), 'docker.io');
  t.is(registryOf('library/busybox'), 'docker.io');
  t.is(registryOf('quay.io/a/b:1'), 'quay.io');
});

test('pull secrets that fit', (t) => {
  const secret = (auths: object) => ({
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  });
  const secrets = [
    secret({
      'https://index.docker.io/v1/': { username: 'hub', password: 'p' },
      '*.example.com': { auth: 'eDp5' },
      'reg.example.com/team': { username: 'team' },
    }),
  ];
  t.deepEqual(
    credentialsFor('busybox:latest', secrets).map(({ username }) => username),
    ['hub'],
  );
  t.deepEqual(
    credentialsFor('reg.example.com/team/app:1', secrets).map(({ username, auth }) => username || auth),
    ['team', 'eDp5'],
  );
  t.deepEqual(credentialsFor('quay.io/a', secrets), []);
});
