import test from 'ava';
import { forbiddenSysctl } from '../../../kubelet/sources/sysctl-allowlist.ts';
import type { KubeletPod } from '../../../kubelet/pod.ts';

const rejectionOf = (name: string, spec: Partial<KubeletPod['spec']> = {}) =>
  forbiddenSysctl({ spec: { ...spec, securityContext: { sysctls: [{ name, value: '1' }] } } } as KubeletPod)
    ?.message;

test('safe sysctls are the Pod’s own', (t) => {
  t.is(rejectionOf('net.ipv4.tcp_syncookies'), undefined);
  t.is(rejectionOf('net/ipv4/tcp_syncookies'), undefined);
  t.is(rejectionOf('kernel.shm_rmid_forced'), undefined);
  t.is(forbiddenSysctl({ spec: { containers: [] } } as unknown as KubeletPod), undefined);
});

test('others, and those of a namespace shared with the host, are forbidden', (t) => {
  t.is(rejectionOf('vm.swappiness'), 'forbidden sysctl: "vm.swappiness" not allowlisted');
  t.is(rejectionOf('kernel/panic'), 'forbidden sysctl: "kernel.panic" not allowlisted');
  t.is(rejectionOf('constructor'), 'forbidden sysctl: "constructor" not allowlisted');
  t.is(
    rejectionOf('kernel.shm_rmid_forced', { hostIPC: true }),
    'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host IPC enabled',
  );
  t.is(
    rejectionOf('net.ipv4.tcp_rmem', { hostNetwork: true }),
    'forbidden sysctl: "net.ipv4.tcp_rmem" not allowed with host Net enabled',
  );
});
