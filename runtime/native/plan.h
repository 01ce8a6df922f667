/* The plan: a text file of steps, one a line, fields separated by tabs (\t, \n and \\ are escaped). TypeScript writes it and
 * decides everything; this side only does what a line says.
 *
 *   # a comment                  for the reader
 *   step field field             must succeed, or the start fails and the line is reported
 *   ?step field field            may fail: reported as a warning
 *   ~step field field            may find nothing there (ENOENT, ENOTDIR)
 */
#ifndef PODWRIGHT_PLAN_H
#define PODWRIGHT_PLAN_H

#include "text.h"

#define MOST_FIELDS 8
#define MOST_WORDS 4096 /* arguments, or environment variables */

struct plan {
  char *next; /* the rest of the file */
  char *end;
  size_t size;
  int line; /* of the step under way, from 1 */
};

/* What the steps leave for later ones, and for the supervisor. */
struct setup {
  int root;       /* the container's root directory, once the step `root` has opened it */
  int report;     /* where the child reports: a stream socket to its parent, closed by a successful exec */
  bool tty;       /* the child gives itself a terminal and sends the master over `report` */
  bool stdin_pipe;
  bool stdin_once;
  char *log_path;
  char *oom_file;
  char *kill_file;
  uint64_t fork_flags;
  int fork_cgroup; /* the v2 cgroup that the child starts in, once the step `cgroup` has opened it */
  int target_cgroup; /* where it starts when that one takes no process, once the step `cgroupof` has found it */
  int target;      /* a pidfd of the process whose namespaces `enter` joined */
};

extern struct setup setup;

struct words {
  int count;
  char *at[MOST_WORDS + 1];
};
extern struct words arguments, environment; /* of the command */

/* Maps the plan file, private to this process. */
long plan_open(struct plan *plan, const char *path);
void plan_close(struct plan *plan);

/* Does the steps up to and without `stop`, or to the end. Returns 0, or -errno of the step at plan->line. */
long plan_do(struct plan *plan, const char *stop);

/* A step: field[0] is its name; missing fields are empty. */
typedef long step(char **field);
struct named_step {
  const char *name;
  step *function;
};
extern const struct named_step mount_steps[];
extern const struct named_step process_steps[];

/* Reports are lines: `warning LINE ERRNO`, `failed LINE ERRNO DETAIL`, tabs between. */
void report(int fd, const char *kind, int line, long error, const char *detail);
/* What the failing step adds to its report (such as `execve`); empty before. */
extern const char *failure_detail;

#endif
