import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { applyDefaults } from '../../api/defaults/defaults.ts';
import type { Pod } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import { validatePod } from '../../api/validation/pod/pod.ts';
import { watchPath } from '../../linux/inotify.ts';
import { hasCode } from '../../linux/system-error.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import { asKubeletPod, hashAnnotation, seenAnnotation, sourceAnnotation } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';

export interface StaticSourceOptions {
  /** The folder of manifests; made when it is not there. */
  folder: string;
  nodeName: string;
  clock: Clock;
  log: KubeletLog;
  /** All static Pods, after each change. */
  onChange: (pods: KubeletPod[]) => void;
}

export interface StaticSource {
  /** Resolves when the folder was read. */
  ready: Promise<void>;
  stop(): void;
}

/** As upstream's: for what inotify doesn't tell, such as a link, or another folder in the place of the one that is watched. */
const checkMs = 20_000;

/** Follows a folder of Pod manifests (YAML or JSON, one Pod a file) by inotify. */
export function followStaticPods(options: StaticSourceOptions): StaticSource {
  const { folder, clock, log, onChange } = options;
  mkdirSync(folder, { recursive: true });
  const read = Promise.withResolvers<void>();
  let reading: Promise<void> | undefined;
  let stale = false;
  let watch: Disposable | undefined;
  let cancel = () => {};
  const readAll = async () => {
    do {
      stale = false;
      onChange(await readFolder(options));
      read.resolve();
    } while (stale);
    reading = undefined;
  };
  const look = (): void => {
    stale = true;
    reading ??= readAll().catch((error: unknown) => {
      reading = undefined;
      log.warn({ folder, error: messageOf(error) }, 'cannot read the folder of static pods');
    });
  };
  const check = () => {
    watch?.[Symbol.dispose]();
    watch = watchOf(options, look);
    look();
    cancel = clock.after(checkMs, check);
  };
  check();
  return {
    ready: read.promise,
    stop() {
      cancel();
      watch?.[Symbol.dispose]();
    },
  };
}

/** Without a watch the folder is still read from time to time. */
function watchOf({ folder, log }: StaticSourceOptions, listener: () => void): Disposable | undefined {
  try {
    return watchPath(folder, ['closeWrite', 'movedTo', 'movedFrom', 'delete'], listener);
  } catch (error) {
    log.warn({ folder, error: messageOf(error) }, 'cannot watch the folder of static pods');
    return undefined;
  }
}

/** A folder that was taken away has no Pods any more (upstream too). */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function readFolder(options: StaticSourceOptions): Promise<KubeletPod[]> {
  const { folder, log } = options;
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.')).sort();
  const pods = new Map<string, KubeletPod>();
  for (const name of names) {
    const path = join(folder, name);
    try {
      const pod = staticPod(parse(await readFile(path, 'utf8')), { path, nodeName: options.nodeName });
      pods.set(`${pod.metadata.namespace}/${pod.metadata.name}`, pod);
    } catch (error) {
      log.warn({ path, error: messageOf(error) }, 'not a pod manifest; it is left out');
    }
  }
  return [...pods.values()];
}

/**
 * The Pod that a manifest stands for: named `<name>-<node>`, with a UID that changes with the file's content
 * (upstream: config/common.go). Throws for what is no valid Pod.
 */
export function staticPod(
  manifest: unknown,
  { path, nodeName, now = new Date() }: { path: string; nodeName: string; now?: Date },
): KubeletPod {
  const pod = manifest as Pod | null;
  if (pod?.kind !== 'Pod' || pod.apiVersion !== 'v1') throw new Error('invalid pod: kind is not v1 Pod');
  if (!pod.metadata?.name) throw new Error('invalid pod: name is needed for the pod');
  const uid =
    pod.metadata.uid ??
    createHash('md5').update(JSON.stringify(manifest)).update(`host:${nodeName}file:${path}`).digest('hex');
  const named: Pod = {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata.name}-${nodeName.toLowerCase()}`,
      namespace: pod.metadata.namespace ?? 'default',
      uid,
      annotations: {
        ...pod.metadata.annotations,
        [hashAnnotation]: uid,
        [seenAnnotation]: now.toISOString(),
        [sourceAnnotation]: 'file',
      },
    },
    spec: {
      ...(pod.spec ?? { containers: [] }),
      nodeName,
      tolerations: [...(pod.spec?.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  };
  applyDefaults(named);
  const errors = validatePod(named).map(({ field, message }) => `${field}: ${message}`);
  if (errors.length > 0) throw new Error(`invalid pod: [${errors.join(', ')}]`);
  return asKubeletPod(named);
}
