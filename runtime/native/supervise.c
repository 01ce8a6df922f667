#include "supervise.h"
#include "clients.h"
#include "log.h"
#include "terminal.h"
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>

#define MOST_PID (4 * 1024 * 1024) /* PID_MAX_LIMIT of the kernel */
#define DRAIN_SECONDS 10 /* for output after the end, held open by a process that left the container's cgroup */

static struct stream out_stream, err_stream;

long open_signals(uint64_t mask) {
  SYS(rt_sigprocmask, SIG_BLOCK, &mask, 0, sizeof mask);
  return SYS(signalfd4, -1, &mask, sizeof mask, O_CLOEXEC | O_NONBLOCK);
}

int exit_code(int status) { return (status & 0x7f) != 0 ? 128 + (status & 0x7f) : status >> 8 & 0xff; }

/* Signals as a fresh process has them: exec would hand on what is blocked or ignored. */
static void reset_signals(void) {
  struct {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
  } standard = {0};
  uint64_t none = 0;
  for (int signal = 1; signal <= 64; signal++) SYS(rt_sigaction, signal, &standard, 0, sizeof none);
  SYS(rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
}

/* What is not given becomes /dev/null. */
static long take_over_stdio(int in, int out, int err) {
  int from[3] = {in, out, err};
  long null = SYS(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0), result = null;
  for (int fd = 0; fd <= 2 && result >= 0; fd++) result = SYS(dup3, from[fd] < 0 ? null : from[fd], fd, 0);
  return result;
}

__attribute__((noreturn)) static void be_child(struct plan *plan, int in, int out, int err, enum stdio stdio) {
  reset_signals();
  long result = stdio == INHERITED ? 0 : take_over_stdio(in, out, err);
  if (result >= 0) result = plan_do(plan, "");
  if (result >= 0) result = -ENOEXEC; /* a plan ends in `exec`, which does not come back */
  report(setup.report, "failed", plan->line, result, failure_detail);
  SYS(exit_group, 1);
  __builtin_unreachable();
}

/* Passes the child's reports on until its exec, or its end, closes the socket. */
static long follow_start(int socket, struct child *child, int report_to) {
  char message[512];
  long n, result = 0;
  int fd;
  while ((n = receive(socket, message, sizeof message - 1, &fd)) > 0) {
    message[n] = 0;
    if (fd >= 0) child->terminal = fd;
    else if (report_to >= 0) write_all(report_to, message, n);
    if (starts_with(message, "failed")) result = -ECANCELED;
  }
  return n < 0 ? n : result;
}

static void close_all(int *fds, int count) {
  for (int i = 0; i < count; i++)
    if (fds[i] >= 0) SYS(close, fds[i]);
}

long start_child(struct plan *plan, struct child *child, enum stdio stdio, int report_to) {
  int sockets[2], in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
  long result = SYS(socketpair, 1, 5 | 02000000 /* SOCK_SEQPACKET, SOCK_CLOEXEC */, 0, sockets);
  bool piped = stdio == PIPES;
  if (result == 0 && piped && setup.stdin_pipe) result = SYS(pipe2, in, O_CLOEXEC);
  if (result == 0 && piped) result = SYS(pipe2, out, O_CLOEXEC);
  if (result == 0 && piped) result = SYS(pipe2, err, O_CLOEXEC);
  if (result < 0) return result;
  struct clone_args how = {.flags = setup.fork_flags, .exit_signal = SIGCHLD};
  if (setup.fork_cgroup >= 0) {
    how.flags |= CLONE_INTO_CGROUP;
    how.cgroup = setup.fork_cgroup;
  }
  *child = (struct child){.terminal = -1, .in = in[1], .out = out[0], .err = err[0]};
  child->pid = SYS(clone3, &how, sizeof how);
  if (child->pid == -EBUSY && setup.target_cgroup >= 0) {
    how.cgroup = setup.target_cgroup;
    child->pid = SYS(clone3, &how, sizeof how);
  }
  if (child->pid == 0) {
    SYS(close, sockets[0]);
    setup.report = sockets[1];
    be_child(plan, in[0], out[1], err[1], stdio);
  }
  close_all((int[]){sockets[1], in[0], out[1], err[1]}, 4);
  if (child->pid < 0) return child->pid;
  SYS(clock_gettime, CLOCK_REALTIME, &child->started);
  child->start_time = process_start_time(child->pid);
  result = follow_start(sockets[0], child, report_to);
  SYS(close, sockets[0]);
  if (result < 0) SYS(wait4, child->pid, 0, 0, 0);
  return result;
}

/* Reads what the container wrote, for the log and whoever is attached. Returns false at the end of the stream. */
static bool relay(struct stream *stream, char kind) {
  static char bytes[LONGEST_LINE];
  long n = SYS(read, stream->fd, bytes, sizeof bytes);
  if (n == -EINTR || n == -EAGAIN) return true;
  if (n <= 0) {
    log_end(stream);
    SYS(close, stream->fd);
    stream->fd = -1;
    return false;
  }
  clients_output(kind, bytes, n);
  log_write(stream, bytes, n);
  return true;
}

/* True when the kernel killed for lack of memory in the container's cgroup: `oom_kill N` with N above 0. */
static bool killed_for_memory(void) {
  char text[1024];
  if (setup.oom_file == 0 || read_file(setup.oom_file, text, sizeof text) < 0) return false;
  for (char *at = text; *at != 0; at++)
    if ((at == text || at[-1] == '\n') && starts_with(at, "oom_kill ")) return number(at + 9) > 0;
  return false;
}

static void add_nanoseconds(struct text *text, struct timespec64 time) {
  add_number(text, (uint64_t)time.seconds * 1000000000 + time.nanoseconds);
}

/* The exit record: JSON, by temporary file, fsync and rename, so that it is there as a whole or not at all. */
static void record_exit(struct child *child, int status, struct timespec64 finished, bool oom) {
  TEXT(record, 256);
  add(&record, "{\"exitCode\":");
  add_number(&record, exit_code(status));
  if ((status & 0x7f) != 0) add(&record, ",\"signal\":");
  if ((status & 0x7f) != 0) add_number(&record, status & 0x7f);
  add(&record, oom ? ",\"oomKilled\":true" : ",\"oomKilled\":false");
  add(&record, ",\"startedAt\":\"");
  add_nanoseconds(&record, child->started);
  add(&record, "\",\"finishedAt\":\"");
  add_nanoseconds(&record, finished);
  add(&record, "\"}\n");
  long fd = SYS(openat, AT_FDCWD, "exit.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return; /* the directory is gone: whoever removed it does not ask */
  long result = write_all(fd, record.bytes, record.length);
  SYS(fsync, fd);
  SYS(close, fd);
  if (result == 0) SYS(renameat2, AT_FDCWD, "exit.tmp", AT_FDCWD, "exit", 0);
}

/* Kills everybody whom a file such as cgroup.procs lists; returns how many that are. Only a newline ends a number: what the
 * buffer has at its end may be the beginning of one, which is a stranger's, and waits for the rest. */
static int kill_listed(const char *path) {
  char text[4096];
  size_t length = 0;
  int listed = 0;
  long n, fd = SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  while ((n = SYS(read, fd, text + length, sizeof text - length)) > 0) {
    size_t line = 0;
    length += n;
    for (size_t at = length - n; at < length; at++) {
      if (text[at] != '\n') continue;
      uint64_t pid = number(text + line);
      if (pid > 0 && pid <= MOST_PID) SYS(kill, pid, SIGKILL);
      line = at + 1;
      listed++;
    }
    length -= line;
    memmove(text, text + line, length);
  }
  SYS(close, fd);
  return listed;
}

/* Kills what is left in the container's cgroup, when its first process ended without taking a pid namespace along. */
static void kill_rest(void) {
  if (setup.kill_file == 0) return;
  for (int attempt = 0; attempt < 100; attempt++) {
    if (kill_listed(setup.kill_file) == 0) return;
    while (SYS(wait4, -1, 0, WNOHANG, 0) > 0)
      ;
    struct timespec64 millisecond = {0, 1000000};
    SYS(nanosleep, &millisecond, 0);
  }
}

/* Collects the dead, orphans of the container among them. True when the container's own process is one of them. */
static bool reap(struct child *child, int signals, int *status) {
  struct signalfd_siginfo signal;
  bool ended = false;
  int dead_status;
  long pid;
  while (SYS(read, signals, &signal, sizeof signal) > 0)
    ;
  while ((pid = SYS(wait4, -1, &dead_status, WNOHANG, 0)) > 0) {
    if (pid != child->pid) continue;
    ended = true;
    *status = dead_status;
  }
  return ended;
}

int supervise(struct child *child, int signals) {
  bool tty = child->terminal >= 0, ended = false;
  int status = 0;
  struct timespec64 finished = {0};
  int64_t drain_until = 0;
  struct container_io io = {tty ? child->terminal : child->in, tty, setup.stdin_once, setup.log_path};
  out_stream.name = "stdout";
  out_stream.fd = tty ? child->terminal : child->out;
  err_stream.name = "stderr";
  err_stream.fd = child->err;
  /* A container can open its pipes the other way round, by /proc/PID/fd, and take or fill in between what poll has found. */
  int ends[] = {io.input, out_stream.fd, err_stream.fd};
  for (int i = 0; i < 3; i++)
    if (ends[i] >= 0) SYS(fcntl, ends[i], F_SETFL, O_NONBLOCK);
  while (!ended || out_stream.fd >= 0 || err_stream.fd >= 0) {
    struct pollfd entries[3 + MOST_CLIENTS + 2];
    bool may_read = clients_keep_up();
    entries[0] = (struct pollfd){signals, POLLIN, 0};
    entries[1] = (struct pollfd){may_read ? out_stream.fd : -1, POLLIN, 0};
    entries[2] = (struct pollfd){may_read ? err_stream.fd : -1, POLLIN, 0};
    int count = clients_poll(entries + 3, &io);
    struct timespec64 tick = {1, 0};
    SYS(ppoll, entries, 3 + count, ended || !may_read ? &tick : 0, 0, 0);
    clients_serve(entries + 3, count, &io);
    if (entries[1].revents != 0 && !relay(&out_stream, 'O') && tty) io.input = -1;
    if (entries[2].revents != 0) relay(&err_stream, 'X');
    if (entries[0].revents != 0 && reap(child, signals, &status)) {
      ended = true;
      SYS(clock_gettime, CLOCK_REALTIME, &finished);
      drain_until = finished.seconds + DRAIN_SECONDS;
      kill_rest();
    }
    struct timespec64 now;
    SYS(clock_gettime, CLOCK_REALTIME, &now);
    if (ended && now.seconds > drain_until) break;
  }
  log_end(&out_stream);
  log_end(&err_stream);
  record_exit(child, status, finished, killed_for_memory());
  clients_end();
  SYS(unlinkat, AT_FDCWD, "control", 0);
  return 0;
}
