/** Several errors as one, worded as upstream's errors.NewAggregate: `[first, second]`, or just the only one; each once. */
export const aggregate = (errors: readonly unknown[]): Error => {
  const messages = new Set(errors.map((error) => (error instanceof Error ? error.message : String(error))));
  const all = [...messages].join(', ');
  return new Error(messages.size === 1 ? all : `[${all}]`, { cause: errors[0] });
};
