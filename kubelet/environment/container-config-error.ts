/** A container can't be made from its spec as things are: its waiting reason is CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  readonly reason = 'CreateContainerConfigError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ContainerConfigError';
  }
}

/** What the container needs of the API server was never read yet: it will be soon. */
export class NotReadYetError extends ContainerConfigError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotReadYetError';
  }
}
