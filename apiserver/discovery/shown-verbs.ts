import type { Kind, Verb } from '../registry/kind.ts';

const ENDING: Verb[] = ['delete', 'deletecollection', 'get', 'list', 'watch'];

/** The verbs that discovery tells of: a kind whose definition goes away hides those that make or change objects. */
export const shownVerbs = ({ verbs, custom }: Kind): Verb[] =>
  custom?.isTerminating === true ? verbs.filter((verb) => ENDING.includes(verb)) : verbs;
