/* A command in a running container. Its parent is this process, because a pid namespace is entered by a fork only. */
#include "exec.h"
#include "supervise.h"
#include "terminal.h"
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/poll.h>
#include <linux/wait.h>

#define START_FAILED 255

static long open_failure_file(char *plan_path) {
  static char path_bytes[4096];
  struct text path = {path_bytes, 0, sizeof path_bytes - 1};
  add(&path, plan_path);
  add(&path, ".failed");
  path.bytes[path.length] = 0;
  return SYS(openat, AT_FDCWD, path.bytes, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* The outer terminal passes everything through; the inner one, the container's, does the line editing. */
static void make_raw(struct termios *before) {
  struct termios raw;
  if (SYS(ioctl, 0, TCGETS, before) < 0) return;
  raw = *before;
  raw.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_oflag &= ~OPOST;
  raw.c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  SYS(ioctl, 0, TCSETS, &raw);
}

/* One direction between two descriptors that never block: what was read waits here until it can be written. */
struct flow {
  int from, to; /* both -1 after the end */
  size_t done, length;
  char bytes[4096];
};

static bool is_waiting(struct flow *flow) { return flow->done < flow->length; }

/* One thing at a time: what waits is to be written before more is read. */
static struct pollfd awaited_by(struct flow *flow) {
  if (is_waiting(flow)) return (struct pollfd){flow->to, POLLOUT, 0};
  return (struct pollfd){flow->from, POLLIN, 0};
}

static void move_on(struct flow *flow) {
  bool writing = is_waiting(flow);
  long n = writing ? SYS(write, flow->to, flow->bytes + flow->done, flow->length - flow->done)
                   : SYS(read, flow->from, flow->bytes, sizeof flow->bytes);
  if (n == -EINTR || n == -EAGAIN) return;
  if (n <= 0) {
    flow->from = flow->to = -1;
    flow->done = flow->length = 0;
  } else if (writing) {
    flow->done += n;
  } else {
    flow->done = 0;
    flow->length = n;
  }
}

struct ending {
  bool ended;
  int status;
};

static void handle_signals(int signals, struct child *child, struct ending *ending) {
  struct signalfd_siginfo signal;
  while (SYS(read, signals, &signal, sizeof signal) == sizeof signal) {
    if (ending->ended) continue; /* its number may be a stranger's */
    if (signal.ssi_signo == SIGWINCH && child->terminal >= 0) terminal_copy_size(0, child->terminal);
    if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGHUP) SYS(kill, child->pid, signal.ssi_signo);
    if (signal.ssi_signo == SIGUSR1) SYS(kill, child->pid, SIGKILL); /* killExec() of exec.ts */
  }
  if (SYS(wait4, child->pid, &ending->status, WNOHANG, 0) == child->pid) ending->ended = true;
}

static void make_nonblocking(int fd) { SYS(fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK); }

/* Waits for the end; with a terminal, relays between the outer and the inner one until all output is through. Neither direction waits
 * for the other: a command that is not done answering takes no more input, and a client that takes no output may hang up. */
static int stay_with(struct child *child, int signals) {
  static struct flow input, output;
  struct ending ending = {false, 0};
  bool tty = child->terminal >= 0;
  input.from = output.to = input.to = output.from = -1;
  if (tty) {
    input.from = 0;
    input.to = output.from = child->terminal;
    output.to = 1;
    for (int fd = 0; fd <= 1; fd++) make_nonblocking(fd);
    make_nonblocking(child->terminal);
  }
  while (!ending.ended || output.from >= 0) {
    struct pollfd entries[3] = {{signals, POLLIN, 0}, awaited_by(&input), awaited_by(&output)};
    struct timespec64 moment = {0, 200000000};
    bool silent = ending.ended && !is_waiting(&output);
    long ready = SYS(ppoll, entries, 3, silent ? &moment : 0, 0, 0);
    if (silent && ready == 0) break; /* what it left behind holds the terminal, and says nothing */
    if (entries[0].revents != 0) handle_signals(signals, child, &ending);
    if (entries[1].revents != 0) move_on(&input);
    if (entries[2].revents != 0) move_on(&output);
  }
  return exit_code(ending.status);
}

int run_exec(char *plan_path) {
  struct plan plan = {0};
  struct child child;
  struct termios before;
  long failures = open_failure_file(plan_path);
  setup.report = failures;
  long signals = open_signals(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGHUP) |
                              SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGUSR1));
  long result = plan_open(&plan, plan_path);
  if (result == 0) result = plan_do(&plan, "fork");
  bool outer_terminal = setup.tty && SYS(ioctl, 0, TCGETS, &before) == 0;
  if (result == 0) result = start_child(&plan, &child, INHERITED, failures);
  if (result < 0 && result != -ECANCELED) report(failures, "failed", plan.line, result, "");
  if (result < 0) return START_FAILED;
  if (outer_terminal) make_raw(&before);
  int code = stay_with(&child, signals);
  if (outer_terminal) SYS(ioctl, 0, TCSETS, &before);
  return code;
}
