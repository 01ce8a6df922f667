/* Starting the child that the plan describes, and staying with it. */
#ifndef PODWRIGHT_SUPERVISE_H
#define PODWRIGHT_SUPERVISE_H

#include "plan.h"
#include <linux/signalfd.h>

struct child {
  long pid;
  uint64_t start_time;
  struct timespec64 started;
  int terminal; /* the master, or -1 */
  int in, out, err; /* this side of its pipes, or -1 */
};

/* What the child has as stdin, stdout and stderr. */
enum stdio { INHERITED, PIPES, NOTHING };

/* Forks at the plan's step `fork`. The child does the rest of the plan; this returns when its exec has succeeded (0), or a step
 * of it failed (-ECANCELED), which has then been reported to `report_to`. */
long start_child(struct plan *plan, struct child *child, enum stdio stdio, int report_to);

/* Blocks the signals a supervisor reads, and returns a signalfd for them. */
long open_signals(uint64_t mask);
#define SIGNAL_BIT(signal) (1ul << ((signal)-1))

/* Logs, serves clients, waits for the end, records it in the file `exit` of the working directory. */
int supervise(struct child *child, int signals);

/* 128 + signal, or the exit code, of a wait status. */
int exit_code(int status);

#endif
