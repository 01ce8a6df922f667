import { configOf } from '../../compose-pods.ts';
import { goDuration } from '../../go-duration.ts';
import type { RouteRequest } from '../server.ts';

/** The KubeletConfiguration in use, as far as there is one. */
export async function configz({ options, response }: RouteRequest): Promise<void> {
  const config = configOf(options);
  const kubeletconfig = {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    staticPodPath: options.staticPodDir ?? '',
    address: options.nodeIp,
    port: options.port ?? 10_250,
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    clusterDNS: options.clusterDns ?? [],
    maxPods: config.maxPods,
    podPidsLimit: config.podPidsLimit,
    resolvConf: config.resolvConf,
    containerLogMaxSize: config.containerLogMaxSize,
    containerLogMaxFiles: config.containerLogMaxFiles,
    nodeStatusUpdateFrequency: goDuration(config.nodeStatusUpdateFrequencyMs),
    nodeStatusReportFrequency: goDuration(config.nodeStatusReportFrequencyMs),
    nodeLeaseDurationSeconds: config.nodeLeaseDurationSeconds,
    imageGCHighThresholdPercent: config.imageGCHighThresholdPercent,
    imageGCLowThresholdPercent: config.imageGCLowThresholdPercent,
    cgroupRoot: options.cgroupRoot,
    cgroupsPerQOS: true,
    cgroupDriver: 'cgroupfs',
    containerRuntimeEndpoint: `unix://${options.criSocket}`,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: {} },
    authorization: { mode: 'Webhook' },
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ kubeletconfig }));
}
