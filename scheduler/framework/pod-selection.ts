/** The pods that take or want a place; finished ones take none. */
export const podSelection = { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' };
