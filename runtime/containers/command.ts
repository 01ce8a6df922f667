import { textOfBytes } from '../../linux/byte-text.ts';
import type { ContainerConfig } from '../cri/types.ts';
import { CriError } from '../errors.ts';
import type { ImageConfig } from '../images/index.ts';

/**
 * The command line: the container's command or else the image's entrypoint, then the container's arguments or else, where
 * the container gives no command either, the image's. Throws when that leaves nothing to run.
 */
export function commandLine(config: Pick<ContainerConfig, 'command' | 'args'>, image: ImageConfig): string[] {
  const { Entrypoint, Cmd } = image;
  const entrypoint = Entrypoint?.length === 1 && Entrypoint[0] === '' ? [] : (Entrypoint ?? []);
  const line =
    config.command.length > 0
      ? [...config.command, ...config.args]
      : [...entrypoint, ...(config.args.length > 0 ? config.args : (Cmd ?? []))];
  if (line.length === 0)
    throw new CriError('UNKNOWN', 'failed to generate container spec: no command specified');
  return line;
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentOptions {
  config: Pick<ContainerConfig, 'envs' | 'tty'>;
  image: ImageConfig;
  hostname: string;
  home: string;
}

/** The environment as `NAME=value` (see textOfBytes()), where the later one wins: PATH, HOSTNAME, TERM, the image's, the container's; HOME if nobody sets it. */
export function environment({ config, image, hostname, home }: EnvironmentOptions): string[] {
  const variables = new Map<string, string>();
  const set = (pair: string): void => {
    const equals = pair.indexOf('=');
    variables.set(equals < 0 ? pair : pair.slice(0, equals), equals < 0 ? '' : pair.slice(equals + 1));
  };
  set(defaultPath);
  set(`HOSTNAME=${hostname}`);
  if (config.tty) set('TERM=xterm');
  image.Env?.forEach(set);
  // Of a record that was read from its file the bytes are as JSON has them, which Buffer.from() takes too.
  for (const { key, value } of config.envs) variables.set(key, textOfBytes(Buffer.from(value)));
  if (!variables.has('HOME')) variables.set('HOME', home);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}
