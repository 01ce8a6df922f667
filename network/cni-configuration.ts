import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '../linux/files.ts';

export interface CniConfigurationOptions {
  /** The node's CNI conf directory; the file in it is `10-podwright.conflist`. */
  confDir: string;
  /** Where host-local keeps the addresses that it has handed out on this node. */
  ipamDir: string;
  /** The node's Pod network, a /24. */
  podCidr: string;
  /** Of the veth that joins the node to the cluster. */
  mtu?: number;
}

/**
 * Writes the network configuration that the runtime executes for every Pod of a node (CNI spec 1.0.0, section 1): a bridge
 * cni0 in the node's namespace that is the Pods' gateway, addresses by host-local. No masquerade here: Pods see each
 * other's own addresses, and the host masquerades what leaves the cluster. Returns the file's path.
 */
export async function writeCniConfiguration(options: CniConfigurationOptions): Promise<string> {
  const { confDir, ipamDir, podCidr, mtu = 1500 } = options;
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    mtu,
    isGateway: true,
    hairpinMode: true,
    ipMasq: false,
    ipam: {
      type: 'host-local',
      ranges: [[{ subnet: podCidr }]],
      routes: [{ dst: '0.0.0.0/0' }],
      dataDir: ipamDir,
    },
  };
  const configuration = { cniVersion: '1.0.0', name: 'podwright', plugins: [bridge] };
  mkdirSync(confDir, { recursive: true });
  const path = join(confDir, '10-podwright.conflist');
  await writeFileDurably(path, `${JSON.stringify(configuration, null, 2)}\n`, { mode: 0o644 });
  return path;
}
