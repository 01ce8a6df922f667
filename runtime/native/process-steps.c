/* The steps that make a process what the container's command is to be: namespaces, limits, identity, rights, environment. */
#include "plan.h"
#include "terminal.h"
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/stat.h>

#define MOST_GROUPS 1024
#define MOST_INSTRUCTIONS 4096

/* write PATH TEXT: into an existing file: a v1 cgroup's tasks, a sysctl, oom_score_adj. */
static long step_write(char **field) {
  long fd = SYS(openat, AT_FDCWD, field[1], O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long result = SYS(write, fd, field[2], strlen(field[2]));
  SYS(close, fd);
  return result;
}

static long open_cgroup(const char *directory) {
  return SYS(openat, AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

/* cgroup DIRECTORY: the v2 cgroup that the child is to start in. */
static long step_cgroup(char **field) {
  long fd = open_cgroup(field[1]);
  if (fd >= 0) setup.fork_cgroup = fd;
  return fd;
}

/* cgroupof PID ROOT: the v2 cgroup that a process is in, below ROOT, where that hierarchy is mounted. The child starts there when the
 * one of `cgroup` is busy: a container that made cgroups below its own and handed controllers on to them has no process in its own
 * (cgroups(7), "no internal processes"). */
static long step_cgroupof(char **field) {
  static char known[8192];
  TEXT(file, 64);
  add(&file, "/proc/");
  add(&file, field[1]);
  add_bytes(&file, "/cgroup", 8);
  long result = read_file(file.bytes, known, sizeof known);
  if (result < 0) return result;
  for (char *at = known; *at != 0; at++) {
    if (!(at == known || at[-1] == '\n') || !starts_with(at, "0::/")) continue;
    static char path_bytes[8192];
    struct text path = {path_bytes, 0, sizeof path_bytes - 1};
    add(&path, field[2]);
    for (at += 3; *at != 0 && *at != '\n'; at++) add_bytes(&path, at, 1);
    path.bytes[path.length] = 0;
    return setup.target_cgroup = open_cgroup(path.bytes);
  }
  return -ENOENT;
}

/* move DIRECTORY: goes on in a copy of this process that starts in a v2 cgroup; the original ends. What is not handed on to a copy
 * (a session's lead, being a subreaper) is to be taken afterwards. */
static long step_move(char **field) {
  long fd = open_cgroup(field[1]);
  if (fd < 0) return fd;
  struct clone_args how = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = fd};
  long pid = SYS(clone3, &how, sizeof how);
  if (pid > 0) SYS(exit_group, 0);
  SYS(close, fd);
  return pid;
}

/* join PATH TYPE: the namespace that a path leads to; TYPE is its CLONE_NEW bit. */
static long step_join(char **field) {
  long fd = SYS(openat, AT_FDCWD, field[1], O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long result = SYS(setns, fd, number(field[2]));
  SYS(close, fd);
  return result;
}

/* enter PID START_TIME TYPES: namespaces of one process at once, provided that it still is that process (ESRCH). */
static long step_enter(char **field) {
  long pidfd = SYS(pidfd_open, number(field[1]), 0);
  if (pidfd < 0) return pidfd;
  setup.target = pidfd;
  long result = process_start_time(number(field[1])) == number(field[2]) ? 0 : -ESRCH;
  return result == 0 ? SYS(setns, pidfd, number(field[3])) : result;
}

/* enteralso TYPES: further namespaces of the process that `enter` found. */
static long step_enteralso(char **field) { return SYS(setns, setup.target, number(field[1])); }

/* unshare TYPES */
static long step_unshare(char **field) { return SYS(unshare, number(field[1])); }

/* hostname NAME */
static long step_hostname(char **field) { return SYS(sethostname, field[1], strlen(field[1])); }

/* rlimit NUMBER SOFT HARD */
static long step_rlimit(char **field) {
  struct rlimit64 limit = {number(field[2]), number(field[3])};
  return SYS(prlimit64, 0, number(field[1]), &limit, 0);
}

/* keyring: a session keyring of its own, without a name. A process possesses the keys in the one that it inherits (keyrings(7)). A
 * kernel may have none at all. */
static long step_keyring(char **field) {
  (void)field;
  long result = SYS(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
  return result == -ENOSYS ? 0 : result;
}

/* umask MODE */
static long step_umask(char **field) { return SYS(umask, number(field[1])); }

/* bounding MASK: capabilities outside it are gone for this process and all it ever starts. */
static long step_bounding(char **field) {
  uint64_t mask = number(field[1]);
  for (int capability = 0; capability < 64; capability++) {
    long has = SYS(prctl, PR_CAPBSET_READ, capability, 0, 0, 0);
    if (has < 0) return 0; /* past the last that this kernel knows */
    if (has == 0 || (mask >> capability & 1) != 0) continue;
    long result = SYS(prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (result < 0) return result;
  }
  return 0;
}

/* The highest of 32 bits is no id but "leave it as it is" (setresuid(2)), and what has more bits would wrap around to another's. */
static bool is_id(uint64_t id) { return id < 0xffffffff; }

/* ids UID GID GID,GID,...: the three ids of each kind and the additional groups; capabilities are kept until `capabilities`. */
static long step_ids(char **field) {
  static uint32_t groups[MOST_GROUPS];
  int count = 0;
  for (char *at = field[3]; *at != 0 && count < MOST_GROUPS;) {
    if (!is_id(number(at))) return -EINVAL;
    groups[count++] = number(at);
    while (*at != 0 && *at != ',') at++;
    if (*at == ',') at++;
  }
  uint64_t uid = number(field[1]), gid = number(field[2]);
  if (!is_id(uid) || !is_id(gid)) return -EINVAL;
  long result = SYS(setgroups, count, groups);
  if (result == 0) result = SYS(setresgid, gid, gid, gid);
  if (result == 0) result = SYS(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (result == 0) result = SYS(setresuid, uid, uid, uid);
  return result;
}

static long set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
      {effective >> 32, permitted >> 32, inheritable >> 32},
  };
  return SYS(capset, &header, data);
}

/* effective MASK: what is kept of the permitted set takes effect again, after `ids` took it away. */
static long step_effective(char **field) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct now[2];
  (void)field;
  long result = SYS(capget, &header, now);
  if (result < 0) return result;
  now[0].effective = now[0].permitted;
  now[1].effective = now[1].permitted;
  return SYS(capset, &header, now);
}

/* capabilities EFFECTIVE PERMITTED INHERITABLE AMBIENT: what this process holds, as bit masks. What it has not got it cannot
 * be given: the masks are cut down to the permitted set of now. */
static long step_capabilities(char **field) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct now[2];
  long result = SYS(capget, &header, now);
  if (result < 0) return result;
  uint64_t held = now[0].permitted | (uint64_t)now[1].permitted << 32;
  uint64_t permitted = number(field[2]) & held, ambient = number(field[4]) & permitted;
  result = set_capabilities(number(field[1]) & permitted, permitted, number(field[3]) & held);
  for (int capability = 0; capability < 64 && result >= 0; capability++) {
    if ((ambient >> capability & 1) == 0) continue;
    result = SYS(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
  return result;
}

/* nonewprivs */
static long step_nonewprivs(char **field) {
  (void)field;
  return SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int hex(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* seccomp FILTER FLAGS: the BPF instructions in hexadecimal, 16 digits each. */
static long step_seccomp(char **field) {
  static struct sock_filter instructions[MOST_INSTRUCTIONS];
  size_t digits = strlen(field[1]);
  if (digits % 16 != 0 || digits / 2 > sizeof instructions) return -EINVAL;
  for (size_t i = 0; i < digits / 2; i++)
    ((unsigned char *)instructions)[i] = hex(field[1][2 * i]) << 4 | hex(field[1][2 * i + 1]);
  struct sock_fprog program = {digits / 16, instructions};
  return SYS(seccomp, SECCOMP_SET_MODE_FILTER, number(field[2]), &program);
}

static bool in_directory;

/* A directory outside the root, reached by a file descriptor that was still open, is refused (CVE-2024-21626). */
static long change_directory(const char *path) {
  static char now[4096];
  long result = SYS(chdir, path);
  if (result == 0) result = SYS(getcwd, now, sizeof now);
  if (result >= 0 && now[0] != '/') result = -EXDEV;
  in_directory = result >= 0;
  return result;
}

/* trychdir PATH: as `chdir`, but who is refused tries again by `chdir`: with other ids it may be allowed (a root that NFS squashes). */
static long step_trychdir(char **field) {
  long result = change_directory(field[1]);
  return result == -EACCES || result == -EPERM ? 0 : result;
}

/* chdir PATH: unless `trychdir` did it. */
static long step_chdir(char **field) { return in_directory ? 0 : change_directory(field[1]); }

/* session: a session of its own, without a terminal. */
static long step_session(char **field) {
  (void)field;
  return SYS(setsid, 0);
}

/* terminal: a new terminal of the devpts in the root (or, after pivot, of /dev) becomes stdin, stdout and stderr. */
static long step_terminal(char **field) {
  (void)field;
  return terminal_take(setup.root, setup.report);
}

/* owner UID: of stdin, stdout and stderr, so that the command may open /dev/stdout. A file that is no pipe or terminal stays. */
static long step_owner(char **field) {
  for (int fd = 0; fd <= 2; fd++) {
    struct stat status;
    long result = SYS(newfstatat, fd, "", &status, AT_EMPTY_PATH);
    if (result < 0) continue;
    bool pipe = (status.st_mode & S_IFMT) == S_IFIFO;
    bool terminal = (status.st_mode & S_IFMT) == S_IFCHR && status.st_rdev >> 8 == 136;
    if (!pipe && !terminal) continue;
    result = SYS(fchown, fd, number(field[1]), -1);
    if (result < 0) return result;
  }
  return 0;
}

/* deathsignal NUMBER: sent to this process when its parent ends. After `ids`, which resets it. A parent that has ended before tells by its
 * end of the socket, which is closed then (getppid(2) does not: it gives 0 for a parent outside the pid namespace). */
static long step_deathsignal(char **field) {
  char nothing;
  long result = SYS(prctl, PR_SET_PDEATHSIG, number(field[1]), 0, 0, 0);
  if (result < 0) return result;
  return SYS(recvfrom, setup.report, &nothing, 1, 0x40 /* MSG_DONTWAIT */, 0, 0) == 0 ? -ESRCH : 0;
}

/* Where the supervisor finds things: log PATH, oomfile PATH, killfile PATH; and what it is to do: tty, stdin, stdinonce. */
static char *keep(const char *path) {
  static char kept[3 * 4096];
  static size_t used;
  size_t n = strlen(path) + 1;
  if (used + n > sizeof kept) return 0;
  used += n;
  return memcpy(kept + used - n, path, n);
}
static long step_log(char **field) { return (setup.log_path = keep(field[1])) ? 0 : -ENAMETOOLONG; }
static long step_oomfile(char **field) { return (setup.oom_file = keep(field[1])) ? 0 : -ENAMETOOLONG; }
static long step_killfile(char **field) { return (setup.kill_file = keep(field[1])) ? 0 : -ENAMETOOLONG; }
static long step_tty(char **field) { return (void)field, setup.tty = true, 0; }
static long step_stdin(char **field) { return (void)field, setup.stdin_pipe = true, 0; }
static long step_stdinonce(char **field) { return (void)field, setup.stdin_once = true, 0; }

/* argument WORD, environment NAME=VALUE: of the command. */
static long add_word(struct words *words, char *word) {
  if (words->count == MOST_WORDS) return -E2BIG;
  return words->at[words->count++] = word, 0;
}
static long step_argument(char **field) { return add_word(&arguments, field[1]); }
static long step_environment(char **field) { return add_word(&environment, field[1]); }

/* Whether this process may execute a file, in the words of Go's exec.LookPath. */
static long executable(const char *path) {
  struct stat status;
  long result = SYS(newfstatat, AT_FDCWD, path, &status, 0);
  if (result < 0) return result;
  if ((status.st_mode & S_IFMT) == S_IFDIR) return -EISDIR;
  result = SYS(faccessat2, AT_FDCWD, path, 1 /* X_OK */, 0x200 /* AT_EACCESS */);
  if (result == -ENOSYS) result = 0;
  return result == 0 && (status.st_mode & 0111) == 0 ? -EACCES : result;
}

/* The file that the command's first word names: as it is when it has a slash, else found in PATH. */
static long find_command(struct text *path) {
  char *command = arguments.at[0];
  for (char *at = command; *at != 0; at++) {
    if (*at != '/') continue;
    add_bytes(path, command, strlen(command) + 1);
    return executable(command);
  }
  char *directories = "";
  for (int i = 0; i < environment.count; i++)
    if (starts_with(environment.at[i], "PATH=")) directories = environment.at[i] + 5;
  while (*directories != 0) {
    char *end = directories;
    while (*end != 0 && *end != ':') end++;
    path->length = 0;
    add_bytes(path, directories, end - directories);
    add(path, end == directories ? "./" : "/");
    add_bytes(path, command, strlen(command) + 1);
    if (path->length < path->capacity && executable(path->bytes) == 0) return 0;
    directories = *end == 0 ? end : end + 1;
  }
  return -ENOENT;
}

static char command_bytes[4096];
static struct text command = {command_bytes, 0, sizeof command_bytes};

/* command: looks the command up, as whom it will run, and lets nothing that is open now stay open in it. */
static long step_command(char **field) {
  (void)field;
  if (arguments.count == 0 || arguments.at[0][0] == 0) return -ENOENT;
  SYS(close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  return find_command(&command);
}

/* exec: the last step, after `command`. This process becomes the command by one system call, which a filter must allow; only a failure
 * comes back. */
static long step_exec(char **field) {
  (void)field;
  failure_detail = "execve";
  return SYS(execve, command.bytes, arguments.at, environment.at);
}

const struct named_step process_steps[] = {
    {"write", step_write},
    {"cgroup", step_cgroup},
    {"cgroupof", step_cgroupof},
    {"move", step_move},
    {"join", step_join},
    {"enter", step_enter},
    {"enteralso", step_enteralso},
    {"unshare", step_unshare},
    {"hostname", step_hostname},
    {"rlimit", step_rlimit},
    {"keyring", step_keyring},
    {"umask", step_umask},
    {"bounding", step_bounding},
    {"ids", step_ids},
    {"effective", step_effective},
    {"capabilities", step_capabilities},
    {"nonewprivs", step_nonewprivs},
    {"seccomp", step_seccomp},
    {"trychdir", step_trychdir},
    {"chdir", step_chdir},
    {"session", step_session},
    {"terminal", step_terminal},
    {"owner", step_owner},
    {"deathsignal", step_deathsignal},
    {"log", step_log},
    {"oomfile", step_oomfile},
    {"killfile", step_killfile},
    {"tty", step_tty},
    {"stdin", step_stdin},
    {"stdinonce", step_stdinonce},
    {"argument", step_argument},
    {"environment", step_environment},
    {"command", step_command},
    {"exec", step_exec},
    {0, 0},
};
