import { CommandError, run } from '../../linux/command.ts';
import { CniError } from './cni-error.ts';
import type { PortMapping } from './execute-plugin.ts';

const table = 'pw-hostports';

export interface HostPorts {
  /** The sandbox's address with its prefix, `10.244.1.5/24`. */
  address: string;
  portMappings: PortMapping[];
}

/**
 * Publishes ports of a sandbox on the node, in the caller's network namespace, by nftables: the portmap plugin does it
 * with iptables, which is not used here. The source address of clients is kept, but for Pods of the same bridge, whose answers
 * would otherwise take a shorter way back. The node's 127.0.0.1 is left out: it would open the loopback of the
 * node to its neighbours (route_localnet, CVE-2020-8558).
 *
 * One nft transaction makes what is missing of the table and adds the ports. Throws CniError when a port is taken.
 */
export async function publishHostPorts({ address, portMappings }: HostPorts): Promise<void> {
  if (portMappings.length === 0) return;
  try {
    await inTurn(() => nft(`${tableRules}\n${elementLines('add', { address, portMappings })}`));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const ports = portMappings.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`).join(', ');
    throw new CniError(`cannot publish host ports ${ports}: ${error.stderr.split('\n')[0] ?? ''}`, {
      cause: error,
    });
  }
}

/**
 * Takes the ports back. Each is added again before it is deleted, in one transaction: this does nothing to a port that is
 * still the sandbox's, makes the deletion idempotent, and fails for a port that belongs to another sandbox now. The table goes
 * with the last port.
 */
export async function withdrawHostPorts({ address, portMappings }: HostPorts): Promise<void> {
  if (portMappings.length === 0) return;
  await inTurn(async () => {
    for (const mapping of portMappings) {
      const one = { address, portMappings: [mapping] };
      await nftIfPossible(`${elementLines('add', one)}\n${elementLines('delete', one)}`);
    }
    if (await isEmpty()) await nftIfPossible(`delete table ip ${table}`);
  });
}

const nft = (input: string) => run('nft', ['-f', '-'], { input: `${input}\n`, timeoutMs: 30_000 });

/** False when nft refused: the port is another's by now, or the table went with the namespace. */
async function nftIfPossible(input: string): Promise<boolean> {
  try {
    await nft(input);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

async function isEmpty(): Promise<boolean> {
  const maps = ['ports', 'ports_of_address'].map((map) => run('nft', ['list', 'map', 'ip', table, map]));
  try {
    return (await Promise.all(maps)).every(({ stdout }) => !stdout.includes('elements'));
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** One after the other: between seeing that the table is empty and deleting it, nobody may add a port. */
function inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
  const turn = lastTurn.then(action, action);
  lastTurn = turn.catch(() => undefined); // the caller of the turn has the error
  return turn;
}

const anyAddress = new Set(['', '0.0.0.0', '::']);

function elementLines(verb: 'add' | 'delete', { address, portMappings }: HostPorts): string {
  const [ip = ''] = address.split('/');
  const lines = portMappings.map(({ hostIP, protocol, hostPort, containerPort }) => {
    const port = `${protocol} . ${hostPort}`;
    const [map, key] = anyAddress.has(hostIP) ? ['ports', port] : ['ports_of_address', `${hostIP} . ${port}`];
    return `${verb} element ip ${table} ${map} { ${key} : ${ip} . ${containerPort} }`;
  });
  // The network stays in its set: other sandboxes of this bridge need it too.
  const network = verb === 'add' ? [`add element ip ${table} pod_networks { ${address} }`] : [];
  return [...lines, ...network].join('\n');
}

/** Idempotent: sets and maps keep their elements, chains are emptied and filled again, all in one transaction. */
const tableRules = `
table ip ${table} {
  map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map ports_of_address { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  set pod_networks { type ipv4_addr; flags interval; auto-merge; }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept; }
  chain output { type nat hook output priority -100; policy accept; }
  chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
  chain translate { }
}
flush chain ip ${table} prerouting
flush chain ip ${table} output
flush chain ip ${table} postrouting
flush chain ip ${table} translate
table ip ${table} {
  chain prerouting { fib daddr type local jump translate; }
  chain output { fib daddr type local jump translate; }
  chain translate {
    ip daddr 127.0.0.0/8 return
    dnat ip to ip daddr . meta l4proto . th dport map @ports_of_address
    dnat ip to meta l4proto . th dport map @ports
  }
  chain postrouting { ct status dnat ip saddr @pod_networks ip daddr @pod_networks masquerade; }
}`;
