import type { ApiObject } from '../registry/kind.ts';
import type { ResourceRequest } from '../endpoints/context.ts';

/** What an admission plugin judges: one write, after authorisation. */
export interface AdmissionAttributes {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  request: ResourceRequest;
  /** The new object; undefined for DELETE and CONNECT. */
  object: ApiObject | undefined;
  oldObject: ApiObject | undefined;
  options: { dryRun: boolean };
}

/** One compiled-in admission plugin. Throws StatusError (403 mostly) to refuse. */
export interface AdmissionPlugin {
  name: string;
  /** May change the object. */
  admit?(attributes: AdmissionAttributes): Promise<void> | void;
  /** Sees the final object. */
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}

/** All plugins in their order (upstream: kubeapiserver options AllOrderedPlugins). */
export class AdmissionChain {
  readonly #plugins: AdmissionPlugin[];

  constructor(plugins: AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#plugins) await plugin.admit?.(attributes);
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#plugins) await plugin.validate?.(attributes);
  }
}
