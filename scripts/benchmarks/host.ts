import { cpu, currentLoad, mem, osInfo } from 'systeminformation';

/** The machine that figures were measured on; without it they say nothing. */
export interface Host {
  system: string;
  kernel: string;
  cpu: string;
  cores: number;
  memoryBytes: number;
  /** Load average of the last minute, at the end of the measuring. */
  load: number;
}

export async function describeHost(): Promise<Host> {
  const [system, processor, memory, { avgLoad }] = await Promise.all([osInfo(), cpu(), mem(), currentLoad()]);
  return {
    system: `${system.distro} ${system.release}`,
    kernel: system.kernel,
    cpu: `${processor.manufacturer} ${processor.brand}`,
    cores: processor.cores,
    memoryBytes: memory.total,
    load: avgLoad,
  };
}
