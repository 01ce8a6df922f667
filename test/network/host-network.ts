import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { libc } from '../../linux/libc.ts';
import { check } from '../../linux/system-error.ts';

const CLONE_NEWNET = 0x40000000;

/**
 * Moves this test process to a network namespace of its own, which plays the host (or the node) from then on: with a
 * loopback, an uplink `up0` with a default route, and nothing of the machine's own network to be hurt.
 */
export function enterFreshHost(): void {
  check(libc.unshare(CLONE_NEWNET), { operation: 'unshare network namespace' });
  // A new namespace begins with what the machine's own settings are at the moment.
  for (const which of ['all', 'default']) writeFileSync(`/proc/sys/net/ipv6/conf/${which}/disable_ipv6`, '1');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
  shell('ip link set lo up');
  shell('ip link add up0 type bridge && ip address add 192.0.2.2/24 dev up0 && ip link set up0 up');
  shell('ip route add default via 192.0.2.1');
}

export const shell = (command: string): string =>
  execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

export const inNetns = (path: string, command: string): string =>
  execFileSync('nsenter', [`--net=${path}`, '--', '/bin/bash', '-c', command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Everything about the host's network that a cluster could leave behind, for comparing before and after. */
export const hostNetwork = () => ({
  links: shell('ip -o link | sed "s/^[0-9]*: //; s/qdisc.*//" | sort'),
  addresses: shell('ip -o address | sed "s/^[0-9]*: //; s/valid_lft.*//" | sort'),
  routes: shell('ip route show table all | grep -v "^fe80\\|^multicast\\|^ff00" | sort'),
  rules: shell('nft list ruleset'),
  namespaces: readdirSync('/run/netns').filter((name) => name.startsWith('podwright-ss-')),
  forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8') + readFileSync(uplinkForwarding, 'utf8'),
});

export const uplinkForwarding = '/proc/sys/net/ipv4/conf/up0/forwarding';
