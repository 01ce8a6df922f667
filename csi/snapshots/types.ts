import type { KubernetesObject, ObjectReference } from '../../api/types.ts';
import type { LabelSelector } from '../../api/types.ts';

export type DeletionPolicy = 'Delete' | 'Retain';

export interface SnapshotFailure {
  message?: string;
  /** RFC 3339. */
  time?: string;
}

export interface VolumeSnapshot extends KubernetesObject {
  spec: {
    source: { persistentVolumeClaimName?: string; volumeSnapshotContentName?: string };
    volumeSnapshotClassName?: string;
  };
  status?: VolumeSnapshotStatus;
}

export interface VolumeSnapshotStatus {
  boundVolumeSnapshotContentName?: string;
  /** RFC 3339. */
  creationTime?: string;
  error?: SnapshotFailure;
  readyToUse?: boolean;
  /** A quantity. */
  restoreSize?: string;
  volumeGroupSnapshotName?: string;
}

export interface VolumeSnapshotContent extends KubernetesObject {
  spec: {
    deletionPolicy: DeletionPolicy;
    driver: string;
    source: { volumeHandle?: string; snapshotHandle?: string };
    sourceVolumeMode?: string;
    volumeSnapshotClassName?: string;
    volumeSnapshotRef: ObjectReference;
  };
  status?: VolumeSnapshotContentStatus;
}

export interface VolumeSnapshotContentStatus {
  /** Nanoseconds since the epoch, exact to a microsecond. */
  creationTime?: number;
  error?: SnapshotFailure;
  readyToUse?: boolean;
  /** Bytes. */
  restoreSize?: number;
  snapshotHandle?: string;
  volumeGroupSnapshotHandle?: string;
}

export interface VolumeSnapshotClass extends KubernetesObject {
  deletionPolicy: DeletionPolicy;
  driver: string;
  parameters?: Record<string, string>;
}

export interface VolumeGroupSnapshot extends KubernetesObject {
  spec: {
    source: { selector?: LabelSelector; volumeGroupSnapshotContentName?: string };
    volumeGroupSnapshotClassName?: string;
  };
  status?: VolumeGroupSnapshotStatus;
}

export interface VolumeGroupSnapshotStatus {
  boundVolumeGroupSnapshotContentName?: string;
  /** RFC 3339. */
  creationTime?: string;
  error?: SnapshotFailure;
  readyToUse?: boolean;
}

export interface VolumeGroupSnapshotContent extends KubernetesObject {
  spec: {
    deletionPolicy: DeletionPolicy;
    driver: string;
    source: {
      volumeHandles?: string[];
      groupSnapshotHandles?: { volumeGroupSnapshotHandle: string; volumeSnapshotHandles: string[] };
    };
    volumeGroupSnapshotClassName?: string;
    volumeGroupSnapshotRef: ObjectReference;
  };
  status?: VolumeGroupSnapshotContentStatus;
}

export interface VolumeGroupSnapshotContentStatus {
  /** RFC 3339. */
  creationTime?: string;
  error?: SnapshotFailure;
  readyToUse?: boolean;
  volumeGroupSnapshotHandle?: string;
  volumeSnapshotInfoList?: VolumeSnapshotInfo[];
}

/** One snapshot of a group, as the driver told it. */
export interface VolumeSnapshotInfo {
  /** Nanoseconds since the epoch. */
  creationTime?: number;
  readyToUse?: boolean;
  /** Bytes. */
  restoreSize?: number;
  snapshotHandle?: string;
  volumeHandle?: string;
}

export interface VolumeGroupSnapshotClass extends KubernetesObject {
  deletionPolicy: DeletionPolicy;
  driver: string;
  parameters?: Record<string, string>;
}
