import test from 'ava';
import { formatReference, parseReference } from '../../../runtime/images/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const names: [string, string][] = [
  ['busybox', 'docker.io/library/busybox:latest'],
  ['busybox:1.37', 'docker.io/library/busybox:1.37'],
  ['team/app', 'docker.io/team/app:latest'],
  ['docker.io/busybox', 'docker.io/library/busybox:latest'],
  ['index.docker.io/team/app:x', 'docker.io/team/app:x'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest'],
  ['registry.k8s.io/e2e/nginx:1.14-2', 'registry.k8s.io/e2e/nginx:1.14-2'],
  [`busybox@${digest}`, `docker.io/library/busybox@${digest}`],
  [`busybox:1@${digest}`, `docker.io/library/busybox:1@${digest}`],
];
for (const [written, full] of names)
  test(`${written} is ${full}`, (t) => t.is(formatReference(parseReference(written)), full));

for (const bad of [
  '',
  'Busybox',
  'a b',
  'x:',
  'x@sha256:short',
  '../etc',
  'a//b',
  '-x',
  'x:bad/tag',
  `${'a'.repeat(300)}`,
])
  test(`${JSON.stringify(bad.slice(0, 20))} is refused`, (t) => {
    t.throws(() => parseReference(bad), { message: /invalid reference format/ });
  });
