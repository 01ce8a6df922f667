import { localProvisionersGroup } from '../csi/local-provisioner/permissions.ts';
import { openCertificateAuthority, type KeyPair } from './certificates.ts';
import type { ClusterFile, NodeRecord } from './cluster-file.ts';
import { clusterPaths } from './paths.ts';

/** Certificates of the control plane: what it serves with, and as whom its parts speak. */
export interface ControlPlaneIdentities {
  ca: KeyPair;
  apiserver: KeyPair;
  /** As whom the API server calls kubelets. */
  kubeletClient: KeyPair;
  admin: KeyPair;
  controllers: KeyPair;
  scheduler: KeyPair;
}

/** Certificates of one node: what its kubelet serves with, and as whom it speaks to the API server. */
export interface NodeIdentities {
  caCert: string;
  server: KeyPair;
  client: KeyPair;
  /** As whom the node's static local provisioner makes volumes, which a kubelet may not. */
  localProvisioner: KeyPair;
}

/** First address of the service network: inside Pods the API server is https://kubernetes.default.svc. */
const KUBERNETES_SERVICE_IP = '10.96.0.1';

/** Reads the control plane's certificates, making those that are missing or end soon. */
export async function controlPlaneIdentities(file: ClusterFile): Promise<ControlPlaneIdentities> {
  const authority = await openCertificateAuthority(clusterPaths(file.name).pki);
  const client = (name: string, commonName: string, organizations: string[] = []): Promise<KeyPair> =>
    authority.issue(name, { usage: 'client', commonName, organizations });
  return {
    ca: { cert: authority.cert, key: authority.key },
    apiserver: await authority.issue('apiserver', {
      usage: 'server',
      commonName: 'kube-apiserver',
      dnsNames: [
        'localhost',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
      ],
      ipAddresses: ['127.0.0.1', file.bridgeIp, KUBERNETES_SERVICE_IP],
    }),
    kubeletClient: await client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', [
      'system:masters',
    ]),
    admin: await client('admin', 'kubernetes-admin', ['system:masters']),
    // The controllers work in one process and as one user, so this user may do what any of them may.
    controllers: await client('controller-manager', 'system:kube-controller-manager', ['system:masters']),
    scheduler: await client('scheduler', 'system:kube-scheduler'),
  };
}

/** Reads the certificates of a node, making those that are missing or end soon. */
export async function nodeIdentities(cluster: string, node: NodeRecord): Promise<NodeIdentities> {
  const authority = await openCertificateAuthority(clusterPaths(cluster).pki);
  const user = `system:node:${node.name}`;
  return {
    caCert: authority.cert,
    server: await authority.issue(`kubelet-server-${node.name}`, {
      usage: 'server',
      commonName: user,
      dnsNames: [node.name, 'localhost'],
      ipAddresses: [node.ip, '127.0.0.1'],
    }),
    client: await authority.issue(`kubelet-${node.name}`, {
      usage: 'client',
      commonName: user,
      organizations: ['system:nodes'],
    }),
    localProvisioner: await authority.issue(`local-provisioner-${node.name}`, {
      usage: 'client',
      commonName: `podwright:local-volume-provisioner:${node.name}`,
      organizations: [localProvisionersGroup],
    }),
  };
}
