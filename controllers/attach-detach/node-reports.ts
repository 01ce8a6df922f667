import type { Node } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { nodes } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import type { Lister } from '../../client/store.ts';

interface Report {
  volumes: Set<string>;
  /**
   * What the server has, as far as it was this that wrote it; undefined: what was seen of the node tells. Null: neither can be trusted, since
   * a write failed and may have been done all the same, or the node was seen otherwise, now or before the last write.
   */
  written: string | undefined | null;
  running: Promise<void>;
  next: Promise<void> | undefined;
}

/**
 * node.status.volumesAttached: what each kubelet may begin to mount. A volume is in it from the attacher's confirmation until
 * right before the detach, so that a kubelet and this controller can't miss each other: the one says "in use" and then looks here,
 * the other takes it away here and then looks whether it is in use.
 */
export class NodeReports {
  readonly #client: Client;
  readonly #nodes: Lister<Node>;
  readonly #reports = new Map<string, Report>();

  constructor({ client, nodes: lister }: { client: Client; nodes: Lister<Node> }) {
    this.#client = client;
    this.#nodes = lister;
  }

  /** Takes over what a node's status says, at start. */
  load(node: string, volumes: readonly string[]): void {
    this.#reportOf(node).volumes = new Set(volumes);
  }

  /** Resolves when the node's status shows the volume, or the node is gone. */
  async add(node: string, uniqueName: string): Promise<void> {
    this.#reportOf(node).volumes.add(uniqueName);
    await this.#flush(node);
  }

  /** Resolves when the node's status doesn't show the volume any more, or the node is gone. */
  async remove(node: string, uniqueName: string): Promise<void> {
    this.#reportOf(node).volumes.delete(uniqueName);
    await this.#flush(node);
  }

  /** Whether the node's status shows the volume, or soon will. */
  shows(node: string, uniqueName: string): boolean {
    return this.#reports.get(node)?.volumes.has(uniqueName) === true;
  }

  /** True when the node's status, as it was last seen, isn't what it should be: a node that came back has lost it. */
  differs(node: Node): boolean {
    const report = this.#reports.get(nameOf(node));
    return report !== undefined && textOf(report.volumes) !== shownBy(node);
  }

  /** Writes again whatever the node's status says. */
  async repeat(node: string): Promise<void> {
    this.#reportOf(node).written = null;
    await this.#flush(node);
  }

  #reportOf(node: string): Report {
    const known = this.#reports.get(node);
    if (known !== undefined) return known;
    const report = {
      volumes: new Set<string>(),
      written: undefined,
      running: Promise.resolve(),
      next: undefined,
    };
    this.#reports.set(node, report);
    return report;
  }

  /** One write a node at a time; those who come meanwhile share the next. */
  #flush(node: string): Promise<void> {
    const report = this.#reportOf(node);
    if (report.next !== undefined) return report.next;
    const next = report.running.then(() => {
      report.next = undefined;
      const writing = this.#write(node, report);
      // Who waits hears of a failure; who comes next only waits for the end.
      report.running = writing.catch(() => undefined);
      return writing;
    });
    report.next = next;
    return next;
  }

  async #write(node: string, report: Report): Promise<void> {
    const present = this.#nodes.getByKey(node);
    if (present === undefined) {
      report.written = undefined;
      return;
    }
    const wanted = textOf(report.volumes);
    const shown = report.written === undefined ? shownBy(present) : report.written;
    if (wanted === shown) return;
    const volumesAttached = [...report.volumes].sort().map((name) => ({ name, devicePath: '' }));
    try {
      const patch = { status: { volumesAttached: volumesAttached.length === 0 ? null : volumesAttached } };
      await this.#client.resource(nodes).patch({ name: node, type: 'merge', subresource: 'status', patch });
      report.written = wanted;
    } catch (error) {
      // What was seen of the node may be older than that write; to trust it would leave a volume shown that is about to be detached.
      report.written = isNotFound(error) ? undefined : null;
      if (!isNotFound(error)) throw error;
    }
  }
}

const nameOf = ({ metadata }: Node): string => metadata?.name ?? '';

const textOf = (volumes: Iterable<string>): string => [...volumes].sort().join('\n');

const shownBy = ({ status }: Node): string => textOf((status?.volumesAttached ?? []).map(({ name }) => name));
