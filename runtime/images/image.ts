/** What an image says about running it: the `config` part of an OCI image configuration, with the document's own names. */
export interface ImageConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  StopSignal?: string;
  Volumes?: Record<string, unknown>;
  Labels?: Record<string, string>;
  ExposedPorts?: Record<string, unknown>;
}

/** An image in the store. */
export interface ImageRecord {
  /** Digest of the image configuration: `sha256:…`. */
  id: string;
  /** Names with a tag: `docker.io/library/busybox:latest`. */
  tags: string[];
  /** Names with the digest they were pulled by: `docker.io/library/busybox@sha256:…`. */
  digests: string[];
  /** Bytes of the image as it travels (configuration, manifest and layers as they are in the registry). */
  sizeBytes: number;
  /** Bytes and files of its unpacked tree. */
  unpackedBytes: number;
  unpackedInodes: number;
  config: ImageConfig;
  /** Kept when images are collected to free space. */
  pinned: boolean;
  /** Built or loaded on this machine: no registry was asked for it. */
  local: boolean;
}
