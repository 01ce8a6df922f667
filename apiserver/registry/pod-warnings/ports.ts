import { quote } from '../../../api/go-format.ts';
import type { ContainerPort, PodSpec } from '../../../api/types.ts';
import { containersOf } from './containers.ts';

interface PlacedPort {
  port: ContainerPort;
  at: string;
}

/** Of ports that are given twice, over all containers; `path` is that of the spec. */
export function portWarnings(spec: PodSpec, path: string): string[] {
  const ports = containersOf(spec, path).flatMap(({ container, at }) =>
    (container.ports ?? []).map((port, index) => ({ port, at: `${at}.ports[${index}]` })),
  );
  return [
    ...ports.flatMap((placed, index) => [
      ...uselessHostIp(placed),
      ...ports.slice(0, index).flatMap((other) => samePort(placed, other)),
    ]),
    ...ports.flatMap((placed, index) => sameName(placed, ports.slice(0, index))),
  ];
}

function uselessHostIp({ port, at }: PlacedPort): string[] {
  const { name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' } = port;
  if (hostIP === '' || hostPort !== 0) return [];
  const shown = `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
  return [`${at}: hostIP set without hostPort: ${shown}`];
}

function samePort({ port, at }: PlacedPort, { port: other, at: otherAt }: PlacedPort): string[] {
  if (port.containerPort !== other.containerPort || port.protocol !== other.protocol) return [];
  const word = likeness(port, other);
  return word === undefined ? [] : [`${at}: ${word} port definition with ${otherAt}`];
}

/** How two definitions of one container port go together; undefined when both are of use. */
function likeness(port: ContainerPort, other: ContainerPort): string | undefined {
  const [{ hostIP: ip = '', hostPort = 0 }, { hostIP: otherIp = '', hostPort: otherPort = 0 }] = [
    port,
    other,
  ];
  if (ip === otherIp && hostPort === otherPort) return 'duplicate';
  if (hostPort === 0 || otherPort === 0) return 'overlapping';
  const isOneOfAnyAddress = (ip === '') !== (otherIp === '');
  return hostPort === otherPort && isOneOfAnyAddress ? 'dangerously ambiguous' : undefined;
}

function sameName({ port: { name = '' }, at }: PlacedPort, earlier: PlacedPort[]): string[] {
  const first = earlier.find(({ port }) => port.name === name);
  if (name === '' || first === undefined) return [];
  return [
    `${at}: duplicate port name ${quote(name)} with ${first.at}, services and probes that select ports by name will use ${first.at}`,
  ];
}
