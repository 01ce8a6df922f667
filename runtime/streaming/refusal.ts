/** An upgrade request that is not granted: the plain HTTP answer to it. */
export class Refusal extends Error {
  readonly statusCode: number;
  readonly headers: [name: string, value: string][];

  constructor(statusCode: number, message: string, headers: [name: string, value: string][] = []) {
    super(message);
    this.name = 'Refusal';
    this.statusCode = statusCode;
    this.headers = headers;
  }
}
