/** An entry of a tar archive: a file with text, a symbolic or a hard link. */
export interface TarEntry {
  name: string;
  type: 'file' | 'symlink' | 'hardlink';
  /** Content of a file, target of a link. */
  value: string | Buffer;
  /** Octal, as in `0644`. */
  mode?: string;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: '0', hardlink: '1', symlink: '2' };

/** A tar archive with entries that no tar program would write: names are taken as they are, `..` and all. */
export function tarOf(entries: TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entry), Buffer.alloc(2 * BLOCK)]);
}

function entry({ name, type, value, mode = '0644' }: TarEntry): Buffer[] {
  const content = type === 'file' ? Buffer.from(value as string) : Buffer.alloc(0);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write(`${mode.padStart(7, '0')}\0`, 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(TYPE_FLAGS[type], 156);
  if (type !== 'file') header.write(String(value), 157);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}
