import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { failpoint } from '../../linux/failpoint.ts';
import { nowNs } from '../clock.ts';
import { prepareContainerCgroup } from '../containers/container-cgroup.ts';
import { containerSpec, makeRootDirectories } from '../containers/container-spec.ts';
import { makeVolumes, volumesOf } from '../containers/image-volumes.ts';
import { isImageMount, mountedImage } from '../containers/mounts.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { securityOf } from '../containers/status.ts';
import { resolveUser } from '../containers/user.ts';
import type { ContainerConfig, CreateContainerRequest, CreateContainerResponse, Sent } from '../cri/types.ts';
import { CriError, invalidArgument, notFound } from '../errors.ts';
import type { ImageRecord } from '../images/index.ts';
import type { Runtime } from '../runtime.ts';
import type { SandboxRecord } from '../sandboxes/record.ts';
import { containersOf, getReadySandbox, publishSandboxEvent } from '../sandboxes/status.ts';

/**
 * Decides everything about a container and keeps it; nothing runs yet. What can be wrong with its configuration (image, user,
 * mounts, devices, profiles) is wrong here, so that starting fails for reasons of the kernel or of the command only.
 */
export async function createContainer(
  runtime: Runtime,
  { podSandboxId, config }: CreateContainerRequest,
): Promise<Sent<CreateContainerResponse>> {
  if (config?.metadata == null) throw invalidArgument('container config must include metadata');
  const sandbox = getReadySandbox(runtime, podSandboxId);
  refuseTakenName(runtime, sandbox, config);
  refuseUnprivilegedSandbox(sandbox, config);
  const image = findImage(runtime, config);
  const container = newContainer(runtime, { sandbox, config, image });
  const { creating } = runtime.busy;
  const reserved = reservationOf(sandbox, config);
  creating.set(reserved, container.id);
  try {
    await keep(runtime, container, { sandbox, image });
  } catch (error) {
    await forget(runtime, container);
    throw error;
  } finally {
    creating.delete(reserved);
  }
  publishSandboxEvent(runtime, sandbox.id, 'CONTAINER_CREATED_EVENT', { containerId: container.id });
  return { containerId: container.id };
}

// A name is one container's in its sandbox from the first moment, also while the container is being made.
function refuseTakenName(runtime: Runtime, sandbox: SandboxRecord, config: ContainerConfig): void {
  const name = nameOf(sandbox, config);
  const kept = containersOf(runtime, sandbox.id).find((other) => nameOf(sandbox, other.config) === name);
  const holder = kept?.id ?? runtime.busy.creating.get(reservationOf(sandbox, config));
  if (holder === undefined) return;
  const reserved = `name ${JSON.stringify(name)} is reserved for ${JSON.stringify(holder)}`;
  throw new CriError('UNKNOWN', `failed to reserve container name ${JSON.stringify(name)}: ${reserved}`);
}

const reservationOf = (sandbox: SandboxRecord, config: ContainerConfig): string =>
  `${sandbox.id}/${nameOf(sandbox, config)}`;

const nameOf = ({ config: { metadata: pod } }: SandboxRecord, { metadata }: ContainerConfig): string =>
  [metadata?.name, pod?.name, pod?.namespace, pod?.uid, metadata?.attempt].join('_');

function refuseUnprivilegedSandbox(sandbox: SandboxRecord, config: ContainerConfig): void {
  const sandboxPrivileged = sandbox.config.linux?.securityContext?.privileged ?? false;
  if (securityOf(config)?.privileged === true && !sandboxPrivileged)
    throw new CriError(
      'UNKNOWN',
      'failed to generate container spec: no privileged container allowed in sandbox',
    );
}

function findImage(runtime: Runtime, { image }: ContainerConfig): ImageRecord {
  const name = image?.image ?? '';
  const found = runtime.images.find(name);
  if (found === undefined) throw notFound(`failed to resolve image ${JSON.stringify(name)}: not found`);
  return found;
}

interface NewContainer {
  sandbox: SandboxRecord;
  config: ContainerConfig;
  image: ImageRecord;
}

function newContainer(runtime: Runtime, { sandbox, config, image }: NewContainer): ContainerRecord {
  const id = randomBytes(32).toString('hex');
  const { logDirectory } = sandbox.config;
  return {
    id,
    sandboxId: sandbox.id,
    config,
    imageId: image.id,
    imageConfig: image.config,
    imageRef: image.digests[0] ?? image.id,
    createdAtNs: nowNs(),
    logPath: config.logPath === '' || logDirectory === '' ? null : join(logDirectory, config.logPath),
    ...resolveUser(runtime.images.rootfsOf(image), image.config.User ?? '', securityOf(config)),
    stopSignal: stopSignalOf(config, image),
    resources: config.linux?.resources ?? null,
    cgroupPath: `${sandbox.cgroupParent}/${id}`,
    mountedImageIds: config.mounts.filter(isImageMount).map((mount) => mountedImage(runtime, mount).id),
    start: null,
    exit: null,
  };
}

function stopSignalOf({ stopSignal }: ContainerConfig, image: ImageRecord): string {
  const asked = stopSignal === 'RUNTIME_DEFAULT' ? (image.config.StopSignal ?? 'TERM') : stopSignal;
  return asked.replace(/^SIG/, '');
}

async function keep(
  runtime: Runtime,
  container: ContainerRecord,
  { sandbox, image }: { sandbox: SandboxRecord; image: ImageRecord },
): Promise<void> {
  // First, so that the next start of the daemon finds whose the leases are.
  const directory = runtime.containers.directoryOf(container.id);
  makeRootDirectories(directory);
  for (const imageId of new Set([image.id, ...container.mountedImageIds])) {
    const leased = runtime.images.find(imageId);
    if (leased !== undefined) runtime.images.lease(leased, container.id);
  }
  await failpoint('runtime.create.after-lease');
  containerSpec(runtime, container, sandbox);
  prepareContainerCgroup(runtime, container);
  await makeVolumes(volumesOf(container, directory), runtime.images.rootfsOf(image));
  warnAboutIgnored(runtime, container);
  getReadySandbox(runtime, sandbox.id); // it may have been stopped or removed meanwhile, with all the containers that it had
  await runtime.containers.create(container);
}

function warnAboutIgnored(runtime: Runtime, { id, config }: ContainerRecord): void {
  const security = securityOf(config);
  const warn = (what: string): void =>
    runtime.log.warn({ container: id }, `${what} is ignored: not supported by this runtime`);
  if (security?.apparmor != null && security.apparmor.profileType === 'Localhost') warn('AppArmor profile');
  if (security?.selinuxOptions != null) warn('SELinux label');
}

/** Takes back what a container holds outside its own directory, and the directory. Idempotent. */
export async function forget(
  runtime: Runtime,
  { id, imageId, mountedImageIds, cgroupPath }: ContainerRecord,
): Promise<void> {
  await runtime.cgroups.removeCgroup(cgroupPath);
  for (const image of new Set([imageId, ...mountedImageIds])) await runtime.images.release(image, id);
  // Last: should it fail, nothing else is held any more, and the next start of the daemon finds the directory.
  await runtime.containers.remove(id);
}
