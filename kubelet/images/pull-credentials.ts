import type { Secret } from '../../api/types.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { registryOf } from './image-name.ts';

interface DockerAuth {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/** The credentials in the Pod's pull secrets that fit the image, most specific first. */
export function credentialsFor(image: string, secrets: Secret[]): cri.Sent<cri.AuthConfig>[] {
  return secrets
    .flatMap(authsOf)
    .filter(([server]) => fits(server, image))
    .sort(([a], [b]) => b.length - a.length)
    .map(([serverAddress, auth]) => ({
      serverAddress,
      username: auth.username ?? '',
      password: auth.password ?? '',
      auth: auth.auth ?? '',
      identityToken: auth.identitytoken ?? '',
      registryToken: auth.registrytoken ?? '',
    }));
}

function authsOf({ type, data }: Secret): [string, DockerAuth][] {
  const file = type === 'kubernetes.io/dockercfg' ? '.dockercfg' : '.dockerconfigjson';
  const encoded = data?.[file];
  if (!encoded) return [];
  try {
    const parsed = JSON.parse(Buffer.from(encoded, 'base64').toString()) as Record<string, unknown>;
    const auths = file === '.dockercfg' ? parsed : (parsed['auths'] ?? {});
    return Object.entries(auths as Record<string, DockerAuth>);
  } catch {
    // A secret that is no JSON has no credentials; the pull then says what is missing.
    return [];
  }
}

/** `https://index.docker.io/v1/` is Docker's own name for itself; `*.example.com` stands for one label. */
function fits(server: string, image: string): boolean {
  const pattern = server
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/$/, '');
  const registry = registryOf(image);
  if (pattern === 'index.docker.io') return registry === 'docker.io';
  const [host = '', ...path] = pattern.split('/');
  const hostPattern = host
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('[^.:]*');
  if (!new RegExp(`^${hostPattern}$`).test(registry)) return false;
  const repository = image.startsWith(`${registry}/`) ? image.slice(registry.length + 1) : image;
  return path.length === 0 || repository.startsWith(path.join('/'));
}
