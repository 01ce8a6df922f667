/* podwright-shim: does what a plan says (plan.h).
 *
 *   podwright-shim ID [LABEL]     in the container's state directory: starts the container of the file `plan`, reports on
 *                                 stdout (`started ...` or `failed ...`), stays with it, leaves the file `exit`
 *   podwright-shim sandbox PLAN   starts pause and ends; reports on stdout
 *   podwright-shim exec PLAN      runs a command in a container, with this process's stdin, stdout and stderr, and ends with its
 *                                 exit code; a failed start is reported in PLAN.failed
 */
#include "exec.h"
#include "clients.h"
#include "log.h"
#include "supervise.h"
#include "terminal.h"
#include <asm/signal.h>
#include <linux/prctl.h>

#define REPORT 1

static long fail(struct plan *plan, const char *what, long error) {
  report(REPORT, what, plan->line, error, "");
  return 1;
}

/* started PID START_TIME SHIM_PID SHIM_START_TIME NANOSECONDS: for the daemon, and in the file `running` for the next one. */
static void report_started(struct child *child, bool keep) {
  TEXT(line, 256);
  uint64_t fields[5] = {child->pid, child->start_time, SYS(getpid, 0), process_start_time(SYS(getpid, 0)),
                        (uint64_t)child->started.seconds * 1000000000 + child->started.nanoseconds};
  add(&line, "started");
  for (int i = 0; i < 5; i++) {
    add(&line, "\t");
    add_number(&line, fields[i]);
  }
  add(&line, "\n");
  if (keep) {
    long fd = SYS(openat, AT_FDCWD, "running.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    long result = write_all(fd, line.bytes, line.length);
    SYS(close, fd);
    if (result == 0) SYS(renameat2, AT_FDCWD, "running.tmp", AT_FDCWD, "running", 0);
  }
  write_all(REPORT, line.bytes, line.length);
}

/* From here on nothing of the daemon is left open: its end is not noticed, and it waits for nothing of ours. */
static void let_daemon_go(void) {
  long null = SYS(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
  for (int fd = 0; fd <= 2; fd++) SYS(dup3, null, fd, 0);
  SYS(close, null);
}

static int start_sandbox(struct plan *plan) {
  struct child child;
  long result = plan_do(plan, "fork");
  if (result < 0) return fail(plan, "failed", result);
  result = start_child(plan, &child, NOTHING, REPORT);
  if (result == -ECANCELED) return 1;
  if (result < 0) return fail(plan, "failed", result);
  report_started(&child, false);
  return 0;
}

static int start_container(struct plan *plan) {
  struct child child;
  long signals = open_signals(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGHUP));
  long result = plan_do(plan, "fork");
  SYS(setsid, 0);
  SYS(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (result == 0 && setup.log_path != 0) result = log_open(setup.log_path);
  if (result == 0) result = clients_listen("control");
  if (result == 0) result = start_child(plan, &child, setup.tty ? NOTHING : PIPES, REPORT);
  if (result < 0) SYS(unlinkat, AT_FDCWD, "control", 0);
  if (result == -ECANCELED) return 1;
  if (result < 0) return fail(plan, "failed", result);
  plan_close(plan);
  report_started(&child, true);
  let_daemon_go();
  return supervise(&child, signals);
}

int run(int argc, char **argv, char **envp) {
  (void)envp;
  struct plan plan = {0};
  bool sandbox = argc > 2 && same(argv[1], "sandbox"), exec = argc > 2 && same(argv[1], "exec");
  if (argc < 2) {
    const char usage[] = "usage: podwright-shim ID [LABEL] | sandbox PLAN | exec PLAN\n";
    write_all(2, usage, sizeof usage - 1);
    return 2;
  }
  SYS(prctl, PR_SET_NAME, "podwright-shim", 0, 0, 0);
  /* Not to be looked into by what it starts, while both still share a pid namespace (CVE-2019-5736). */
  SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  SYS(umask, 022); /* the daemon's own would be that of the directories made for mounts, which other users than root pass through */
  SYS(close_range, 3, ~0u, 0); /* whatever the daemon left open is not the container's business */
  setup.report = REPORT;
  if (exec) return run_exec(argv[2]);
  long result = plan_open(&plan, sandbox ? argv[2] : "plan");
  if (result < 0) return fail(&plan, "failed", result);
  return sandbox ? start_sandbox(&plan) : start_container(&plan);
}
