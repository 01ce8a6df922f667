import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ImageConfig } from '../../../runtime/images/index.ts';

export interface LayoutEntry {
  name: string;
  text?: string;
  /** Of the tar header: `0` file (default), `1` hard link, `2` symbolic link, `5` directory. */
  type?: string;
  linkName?: string;
}

/** Writes an OCI image layout with one image of one layer, byte by byte, so that it can hold what no tool would make. */
export function makeLayout(
  dir: string,
  { entries, config = {}, name = 'image' }: { entries: LayoutEntry[]; config?: ImageConfig; name?: string },
): { manifestDigest: string } {
  mkdirSync(join(dir, 'blobs/sha256'), { recursive: true });
  const blob = (data: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(data).digest('hex');
    writeFileSync(join(dir, 'blobs/sha256', hex), data);
    return { mediaType, digest: `sha256:${hex}`, size: data.length };
  };
  const tar = Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
  const layer = blob(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip');
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
  const configuration = {
    architecture: 'amd64',
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: blob(Buffer.from(JSON.stringify(configuration)), 'application/vnd.oci.image.config.v1+json'),
    layers: [layer],
  };
  const described = blob(Buffer.from(JSON.stringify(manifest)), manifest.mediaType);
  const annotations = { 'org.opencontainers.image.ref.name': name };
  writeFileSync(
    join(dir, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...described, annotations }] }),
  );
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return { manifestDigest: described.digest };
}

function tarEntry({ name, text = '', type = '0', linkName = '' }: LayoutEntry): Buffer {
  const header = Buffer.alloc(512);
  const data = Buffer.from(text);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(type === '5' ? 0o755 : 0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(data.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(linkName, 157);
  header.write('ustar\x0000', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}
