/* pause: holds a Pod's namespaces. It sleeps until SIGTERM or SIGINT, and as PID 1 of a shared pid namespace it reaps the
 * processes that others left behind. Signals are read from a signalfd, so there is no handler and nothing to race with. */
#include "kernel.h"
#include <asm/signal.h>
#include <linux/signalfd.h>
#include <linux/wait.h>

#define BIT(signal) (1ul << ((signal)-1))

int run(int argc, char **argv, char **envp) {
  (void)argc, (void)argv, (void)envp;
  unsigned long mask = BIT(SIGTERM) | BIT(SIGINT) | BIT(SIGCHLD);
  SYS(rt_sigprocmask, SIG_BLOCK, &mask, 0, sizeof mask);
  long signals = SYS(signalfd4, -1, &mask, sizeof mask, 0);
  if (signals < 0) return 1;
  for (;;) {
    struct signalfd_siginfo signal;
    long n = SYS(read, signals, &signal, sizeof signal);
    if (n == -EINTR) continue;
    if (n != sizeof signal) return 1;
    if (signal.ssi_signo != SIGCHLD) return 0;
    while (SYS(wait4, -1, 0, WNOHANG, 0) > 0)
      ;
  }
}
