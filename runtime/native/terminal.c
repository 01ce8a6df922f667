#include "terminal.h"
#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/mount.h>

/* socket(7) and cmsg(3); the kernel's headers for programs leave these two out. */
struct message_header {
  void *name;
  int name_length;
  struct {
    void *base;
    size_t length;
  } *vectors;
  size_t vector_count;
  void *control;
  size_t control_length;
  int flags;
};
struct control {
  size_t length;
  int level, type;
  int fd;
};
#define SOL_SOCKET 1
#define SCM_RIGHTS 1

static long send_fd(int socket, int fd) {
  struct {
    void *base;
    size_t length;
  } vector = {"terminal\n", 9};
  struct control control = {offsetof(struct control, fd) + sizeof fd, SOL_SOCKET, SCM_RIGHTS, fd};
  struct message_header message = {
      .vectors = (void *)&vector, .vector_count = 1, .control = &control, .control_length = sizeof control};
  return SYS(sendmsg, socket, &message, 0);
}

long receive(int socket, char *bytes, size_t capacity, int *fd) {
  struct {
    void *base;
    size_t length;
  } vector = {bytes, capacity};
  struct control control = {0};
  struct message_header message = {
      .vectors = (void *)&vector, .vector_count = 1, .control = &control, .control_length = sizeof control};
  long n;
  do n = SYS(recvmsg, socket, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */);
  while (n == -EINTR);
  *fd = n > 0 && control.level == SOL_SOCKET && control.type == SCM_RIGHTS ? control.fd : -1;
  return n;
}

/* /dev/console of a container with a terminal is that terminal, for what writes to the console. */
static long bind_console(int root, int terminal) {
  long console = SYS(openat, root, "dev/console", O_CREAT | O_PATH | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (console == -ENOENT) {
    long made = SYS(openat, root, "dev/console", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (made < 0) return made;
    SYS(close, made);
    console = SYS(openat, root, "dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  }
  if (console < 0) return console;
  long tree = SYS(open_tree, terminal, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  long result = tree < 0 ? tree : SYS(move_mount, tree, "", console, "", MOVE_MOUNT_F_EMPTY_PATH | 0x40);
  SYS(close, tree);
  SYS(close, console);
  return result;
}

void terminal_copy_size(int from, int to) {
  struct winsize size;
  if (SYS(ioctl, from, TIOCGWINSZ, &size) == 0) SYS(ioctl, to, TIOCSWINSZ, &size);
}

long terminal_take(int root, int report) {
  const char *path = root < 0 ? "/dev/pts/ptmx" : "dev/pts/ptmx";
  long master = SYS(openat, root < 0 ? AT_FDCWD : root, path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW, 0);
  if (master < 0) return master;
  int locked = 0;
  long result = SYS(ioctl, master, TIOCSPTLCK, &locked);
  long terminal = result < 0 ? result : SYS(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return terminal;
  if (root >= 0) result = bind_console(root, terminal);
  if (result >= 0) result = send_fd(report, master);
  terminal_copy_size(0, terminal); /* here, because the command may ask for it before the parent is back */
  SYS(setsid, 0); /* fails only where the session step came before */
  if (result >= 0) result = SYS(ioctl, terminal, TIOCSCTTY, 0);
  for (int fd = 0; fd <= 2 && result >= 0; fd++) result = SYS(dup3, terminal, fd, 0);
  SYS(close, master);
  SYS(close, terminal);
  return result;
}

uint64_t process_start_time(uint64_t pid) {
  char stat[1024];
  TEXT(path, 64);
  add(&path, "/proc/");
  add_number(&path, pid);
  add_bytes(&path, "/stat", 6);
  long n = read_file(path.bytes, stat, sizeof stat);
  while (n > 0 && stat[n - 1] != ')') n--;
  if (n <= 0) return 0;
  char *at = stat + n; /* " S ppid ...": after the name, field 3 follows the first space */
  for (int field = 2; field < 22 && *at != 0; at++)
    if (*at == ' ') field++;
  return number(at);
}
