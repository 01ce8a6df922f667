import type { CriHandlers } from '../server.ts';
import { attach } from './attach.ts';
import { containerStats, listContainerStats, streamContainerStats } from './container-stats.ts';
import { containerStatus } from './container-status.ts';
import { createContainer } from './create-container.ts';
import { exec } from './exec.ts';
import { execSync } from './exec-sync.ts';
import { getContainerEvents } from './get-container-events.ts';
import { imageFsInfo } from './image-fs-info.ts';
import { imageStatus } from './image-status.ts';
import { listContainers, streamContainers } from './list-containers.ts';
import { listImages, streamImages } from './list-images.ts';
import { listPodSandbox, streamPodSandboxes } from './list-pod-sandbox.ts';
import {
  listMetricDescriptors,
  listPodSandboxMetrics,
  streamPodSandboxMetrics,
} from './pod-sandbox-metrics.ts';
import { listPodSandboxStats, podSandboxStats, streamPodSandboxStats } from './pod-sandbox-stats.ts';
import { podSandboxStatus } from './pod-sandbox-status.ts';
import { portForward } from './port-forward.ts';
import { pullImage } from './pull-image.ts';
import { removeContainer } from './remove-container.ts';
import { removeImage } from './remove-image.ts';
import { removePodSandbox } from './remove-pod-sandbox.ts';
import { reopenContainerLog } from './reopen-container-log.ts';
import { runPodSandbox } from './run-pod-sandbox.ts';
import { runtimeConfig } from './runtime-config.ts';
import { startContainer } from './start-container.ts';
import { status } from './status.ts';
import { stopContainer } from './stop-container.ts';
import { stopPodSandbox } from './stop-pod-sandbox.ts';
import { updateContainerResources } from './update-container-resources.ts';
import { updatePodSandboxResources } from './update-pod-sandbox-resources.ts';
import { updateRuntimeConfig } from './update-runtime-config.ts';
import { version } from './version.ts';

/** Every RPC that is served, by the name it has in cri.proto; CheckpointContainer is not (UNIMPLEMENTED). */
export const handlers: CriHandlers = {
  runtime: {
    Version: version,
    Status: status,
    RuntimeConfig: runtimeConfig,
    UpdateRuntimeConfig: updateRuntimeConfig,
    RunPodSandbox: runPodSandbox,
    StopPodSandbox: stopPodSandbox,
    RemovePodSandbox: removePodSandbox,
    PodSandboxStatus: podSandboxStatus,
    ListPodSandbox: listPodSandbox,
    StreamPodSandboxes: { stream: streamPodSandboxes },
    UpdatePodSandboxResources: updatePodSandboxResources,
    CreateContainer: createContainer,
    StartContainer: startContainer,
    StopContainer: stopContainer,
    RemoveContainer: removeContainer,
    ContainerStatus: containerStatus,
    ListContainers: listContainers,
    StreamContainers: { stream: streamContainers },
    UpdateContainerResources: updateContainerResources,
    ReopenContainerLog: reopenContainerLog,
    ExecSync: execSync,
    Exec: exec,
    Attach: attach,
    PortForward: portForward,
    ContainerStats: containerStats,
    ListContainerStats: listContainerStats,
    StreamContainerStats: { stream: streamContainerStats },
    PodSandboxStats: podSandboxStats,
    ListPodSandboxStats: listPodSandboxStats,
    StreamPodSandboxStats: { stream: streamPodSandboxStats },
    GetContainerEvents: { subscribe: getContainerEvents },
    ListMetricDescriptors: listMetricDescriptors,
    ListPodSandboxMetrics: listPodSandboxMetrics,
    StreamPodSandboxMetrics: { stream: streamPodSandboxMetrics },
  },
  image: {
    ListImages: listImages,
    StreamImages: { stream: streamImages },
    ImageStatus: imageStatus,
    PullImage: pullImage,
    RemoveImage: removeImage,
    ImageFsInfo: imageFsInfo,
  },
};
