import type { Container } from '../../api/types.ts';

/** A port given by number or by the name of one of the container's ports. Throws upstream's words. */
export function containerPort(port: number | string, container: Container): number {
  const number = typeof port === 'number' ? port : (namedPort(port, container) ?? Number(port));
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  if (typeof port === 'string' && Number.isNaN(number)) {
    throw new Error(`strconv.Atoi: parsing "${port}": invalid syntax`);
  }
  throw new Error(`invalid port number: ${number}`);
}

const namedPort = (name: string, { ports }: Container): number | undefined =>
  ports?.find((port) => port.name === name)?.containerPort;
