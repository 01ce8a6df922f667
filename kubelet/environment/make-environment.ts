import type {
  ConfigMap,
  Container,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  Pod,
  Secret,
} from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { textOfBytes } from '../../linux/byte-text.ts';
import { ContainerConfigError } from './container-config-error.ts';
import { envFileValue } from './env-file.ts';
import type { EnvironmentVariable } from './expand-container.ts';
import { expand, mappingOf } from './expansion.ts';
import { runtimeField } from './field-path.ts';
import type { PodAddresses } from './field-path.ts';
import { quote } from '../../api/go-format.ts';
import { resourceField } from './resource-field.ts';
import type { ResourceList } from './resource-field.ts';

export interface EnvironmentOptions extends PodAddresses {
  pod: Pod;
  container: Container;
  /** Node.status.allocatable: what a container without a limit has. */
  nodeAllocatable: ResourceList;
  /** Rejects with a NotFound StatusError when there is none. */
  getConfigMap: (namespace: string, name: string) => Promise<ConfigMap>;
  getSecret: (namespace: string, name: string) => Promise<Secret>;
  /** The Services' variables, such as KUBERNETES_SERVICE_HOST; the container's own win. */
  serviceEnvironment?: Readonly<Record<string, string>>;
  /** The text of a file in one of the Pod's volumes, for fileKeyRef; must not follow a link out of the volume. */
  readVolumeFile?: (volumeName: string, path: string) => Promise<string>;
}

/**
 * A container's environment: `envFrom`, then `env` in its order (later names win and may use earlier ones by `$(NAME)`),
 * then the Services'. Rejects with ContainerConfigError in upstream's words (kubelet_pods.go makeEnvironmentVariables).
 */
export const makeEnvironment = async (options: EnvironmentOptions): Promise<EnvironmentVariable[]> => {
  try {
    return await new Environment(options).make();
  } catch (error) {
    if (error instanceof ContainerConfigError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ContainerConfigError(message, { cause: error });
  }
};

class Environment {
  readonly #options: EnvironmentOptions;
  readonly #namespace: string;
  readonly #variables = new Map<string, string>();

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.#namespace = options.pod.metadata?.namespace ?? '';
  }

  async make(): Promise<EnvironmentVariable[]> {
    const { container, serviceEnvironment = {} } = this.#options;
    const services = new Map(Object.entries(serviceEnvironment));
    const mapping = mappingOf(this.#variables, services);
    for (const source of container.envFrom ?? []) await this.#addAll(source);
    for (const variable of container.env ?? []) {
      const value = await this.#valueOf(variable, (text) => expand(text, mapping));
      if (value !== undefined) this.#variables.set(variable.name, value);
    }
    const all = new Map([...services, ...this.#variables]);
    const own = [...this.#variables.keys()];
    const names = [...own, ...[...services.keys()].filter((name) => !this.#variables.has(name))];
    return names.map((name) => ({ name, value: all.get(name) ?? '' }));
  }

  async #addAll({ configMapRef, secretRef, prefix = '' }: EnvFromSource): Promise<void> {
    const data =
      configMapRef === undefined
        ? decoded((await this.#secret(secretRef?.name ?? '', secretRef?.optional))?.data)
        : (await this.#configMap(configMapRef.name ?? '', configMapRef.optional))?.data;
    for (const [key, value] of Object.entries(data ?? {})) this.#variables.set(prefix + key, value);
  }

  /** Undefined: an optional source isn't there, and so the variable isn't either. */
  async #valueOf(
    { value = '', valueFrom }: EnvVar,
    expanded: (text: string) => string,
  ): Promise<string | undefined> {
    if (value !== '') return expanded(value);
    return valueFrom === undefined ? '' : this.#valueFrom(valueFrom);
  }

  async #valueFrom(source: EnvVarSource): Promise<string | undefined> {
    const { pod, container, nodeAllocatable } = this.#options;
    if (source.fieldRef !== undefined) return runtimeField(pod, source.fieldRef.fieldPath, this.#options);
    if (source.resourceFieldRef !== undefined) {
      return resourceField({ selector: source.resourceFieldRef, pod, container, nodeAllocatable });
    }
    if (source.configMapKeyRef !== undefined) return this.#configMapKey(source.configMapKeyRef);
    if (source.secretKeyRef !== undefined) return this.#secretKey(source.secretKeyRef);
    if (source.fileKeyRef !== undefined) return this.#fileKey(source.fileKeyRef);
    return '';
  }

  async #configMapKey({ name = '', key, optional }: NonNullable<EnvVarSource['configMapKeyRef']>) {
    const value = (await this.#configMap(name, optional))?.data?.[key];
    if (value !== undefined || optional === true) return value;
    throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${this.#namespace}/${name}`);
  }

  async #secretKey({ name = '', key, optional }: NonNullable<EnvVarSource['secretKeyRef']>) {
    const value = (await this.#secret(name, optional))?.data?.[key];
    if (value !== undefined) return textOfBytes(Buffer.from(value, 'base64'));
    if (optional === true) return undefined;
    throw new ContainerConfigError(`couldn't find key ${key} in Secret ${this.#namespace}/${name}`);
  }

  async #fileKey({ volumeName, path, key, optional }: NonNullable<EnvVarSource['fileKeyRef']>) {
    const { readVolumeFile } = this.#options;
    if (readVolumeFile === undefined) {
      throw new ContainerConfigError(`cannot find the volume ${quote(volumeName)} referenced by FileKeyRef`);
    }
    let value: string;
    try {
      value = envFileValue(await readVolumeFile(volumeName, path), key);
    } catch (error) {
      // What stands in the file, or where it is on the host, is not for the Pod's status.
      throw new ContainerConfigError("couldn't parse env file", { cause: error });
    }
    if (value !== '') return value;
    if (optional === true) return undefined;
    throw new ContainerConfigError(`environment variable key ${quote(key)} not found in file ${quote(path)}`);
  }

  async #configMap(name: string, optional = false): Promise<ConfigMap | undefined> {
    return ifThere(this.#options.getConfigMap(this.#namespace, name), optional);
  }

  async #secret(name: string, optional = false): Promise<Secret | undefined> {
    return ifThere(this.#options.getSecret(this.#namespace, name), optional);
  }
}

const ifThere = async <T>(object: Promise<T>, optional: boolean): Promise<T | undefined> => {
  try {
    return await object;
  } catch (error) {
    if (optional && isNotFound(error)) return undefined;
    throw error;
  }
};

const decoded = (data: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, textOfBytes(Buffer.from(value, 'base64'))]),
  );
