import test from 'ava';
import type { SecurityContext } from '../../../api/types.ts';
import { linuxSecurityContext, verifyRunAsNonRoot } from '../../../kubelet/containers/security-context.ts';
import { podOf } from '../pod-builder.ts';

const inPod = (pod: object, securityContext: SecurityContext = {}) => {
  const built = podOf({ securityContext: pod, containers: [{ name: 'main', securityContext }] });
  const [container = { name: '' }] = built.spec.containers;
  return { pod: built, container, imageUser: {}, folders: { seccomp: '/kubelet/seccomp' } };
};

test('the container wins over the pod', (t) => {
  const context = linuxSecurityContext({
    ...inPod(
      { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000] },
      { runAsUser: 5000, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
    ),
    imageUser: { uid: 7 },
  });
  t.deepEqual(context.runAsUser, { value: 5000 });
  t.deepEqual(context.runAsGroup, { value: 2000 });
  t.deepEqual(context.supplementalGroups, [3000, 4000]);
  t.true(context.noNewPrivs);
  t.true(context.readonlyRootfs);
  t.deepEqual(context.seccomp, { profileType: 'Unconfined' });
  t.true(context.maskedPaths?.includes('/proc/kcore'));
});

test('a seccomp profile of the node is named from its folder', (t) => {
  const seccompProfile = { type: 'Localhost', localhostProfile: 'audit/fine.json' };
  t.deepEqual(linuxSecurityContext(inPod({ seccompProfile })).seccomp, {
    profileType: 'Localhost',
    localhostRef: '/kubelet/seccomp/audit/fine.json',
  });
});

test('a container that must not be root', (t) => {
  const where = '(pod: "web_default(uid-1)", container: main)';
  const wanted = inPod({ runAsNonRoot: true });
  t.throws(() => verifyRunAsNonRoot({ ...wanted, imageUser: { uid: 0 } }), {
    message: `container has runAsNonRoot and image will run as root ${where}`,
  });
  t.throws(() => verifyRunAsNonRoot({ ...wanted, imageUser: { username: 'app' } }), {
    message: `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${where}`,
  });
  t.throws(() => verifyRunAsNonRoot(inPod({ runAsNonRoot: true, runAsUser: 0 })), {
    message: `container's runAsUser breaks non-root policy ${where}`,
  });
  t.notThrows(() => verifyRunAsNonRoot({ ...wanted, imageUser: { uid: 5 } }));
});
