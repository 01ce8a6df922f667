import { patience } from '../environment.ts';

/** Polls until the condition holds; throws after the deadline, naming what was waited for. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> => {
  const end = Date.now() + deadlineMs * patience;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
