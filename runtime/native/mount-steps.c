/* The steps that build a container's file system. A path "in the root" belongs to the container: it is resolved by the
 * kernel as if the root were / (openat2, RESOLVE_IN_ROOT), so that no symlink of an image leads to the host, and mounts are
 * made on the file descriptor that was opened, so that nothing can be exchanged in between. */
#include "plan.h"
#include <asm/stat.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#ifndef MOVE_MOUNT_T_EMPTY_PATH
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#endif
#define MOST_TAKEN 256
#define MOST_PATH 4096

/* Mounts taken from the host and not yet put into the container. */
static int taken[MOST_TAKEN];

static long open_in(int directory, const char *path, uint64_t flags, uint64_t mode) {
  struct open_how how = {
      .flags = flags | O_CLOEXEC, .mode = mode, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  long fd;
  do fd = SYS(openat2, directory, *path == 0 ? "." : path, &how, sizeof how);
  while (fd == -EAGAIN); /* something on the way was renamed meanwhile (openat2(2)) */
  return fd;
}

/* What `name` is in `directory`, made as a directory or an empty file. */
static long make(int directory, const char *name, bool as_directory) {
  if (as_directory) return SYS(mkdirat, directory, name, 0755);
  long fd = SYS(openat, directory, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
  if (fd >= 0) SYS(close, fd);
  return fd < 0 ? fd : 0;
}

/* Makes the first part of `path` that is missing in the root. When that part is a symlink to nowhere, `path` is rewritten to
 * where the link points. `path` has room for MOST_PATH bytes. */
static long make_next(char *path, bool as_directory) {
  long parent = open_in(setup.root, "/", O_PATH | O_DIRECTORY, 0);
  char *name = path, *end, *rest;
  for (;; name = rest) {
    while (*name == '/') name++;
    for (end = name; *end != 0 && *end != '/';) end++;
    for (rest = end; *rest == '/';) rest++;
    if (parent < 0 || *name == 0) return parent;
    char kept = *end;
    *end = 0;
    /* Always from the root, with the whole path so far: a `..` or a symlink may lead anywhere inside it. */
    long next = open_in(setup.root, path, O_PATH, 0);
    *end = kept;
    if (next == -ENOENT) break;
    SYS(close, parent);
    parent = next;
  }
  char kept = *end;
  *end = 0;
  long result = make(parent, name, *rest != 0 || as_directory);
  static char link[MOST_PATH], joined[2 * MOST_PATH];
  if (result == -EEXIST) {
    result = SYS(readlinkat, parent, name, link, sizeof link);
    if (result >= 0) {
      struct text text = {joined, 0, sizeof joined - 1};
      if (link[0] != '/') add_bytes(&text, path, name - path);
      add_bytes(&text, link, result);
      add(&text, "/");
      add(&text, rest);
      joined[text.length] = 0;
      result = text.length < MOST_PATH ? 0 : -ENAMETOOLONG;
      if (result == 0) memcpy(path, joined, text.length + 1);
    }
  } else {
    *end = kept;
  }
  SYS(close, parent);
  return result;
}

/* Opens a path in the root, making what is missing: directories, and at its end a directory or an empty file. */
static long open_making(const char *path, bool as_directory) {
  static char working[MOST_PATH];
  if (strlen(path) >= MOST_PATH) return -ENAMETOOLONG;
  memcpy(working, path, strlen(path) + 1);
  for (int step = 0; step < MOST_PATH / 2; step++) {
    long fd = open_in(setup.root, working, O_PATH, 0);
    if (fd != -ENOENT) return fd;
    long made = make_next(working, as_directory);
    if (made < 0 && made != -EEXIST) return made;
  }
  return -ELOOP;
}

/* Opens the directory of a path in the root, made when missing; `name` is the path's last part. */
static long open_parent(char *path, char **name) {
  char *slash = path;
  for (char *at = path; *at != 0; at++)
    if (*at == '/') slash = at;
  *name = *slash == '/' ? slash + 1 : slash;
  if (slash == path) return open_in(setup.root, "/", O_PATH | O_DIRECTORY, 0);
  *slash = 0;
  long parent = open_making(path, true);
  *slash = '/';
  return parent;
}

static void path_of(struct text *text, int fd) {
  add(text, "/proc/self/fd/");
  add_number(text, fd);
  add_bytes(text, "", 1);
}

static const char *or_null(const char *s) { return *s == 0 ? 0 : s; }

static bool is_directory(int fd) {
  struct stat status;
  return SYS(newfstatat, fd, "", &status, AT_EMPTY_PATH) == 0 && (status.st_mode & S_IFMT) == S_IFDIR;
}

/* Sets, clears: MOUNT_ATTR_ bits; propagation: MS_ bits; recursive: 1. */
static long set_attributes(int fd, const char *sets, const char *clears, const char *propagation, const char *recursive) {
  struct mount_attr attributes = {
      .attr_set = number(sets), .attr_clr = number(clears), .propagation = number(propagation)};
  int flags = AT_EMPTY_PATH | (number(recursive) ? AT_RECURSIVE : 0);
  return SYS(mount_setattr, fd, "", flags, &attributes, sizeof attributes);
}

/* mount SOURCE TARGET TYPE FLAGS DATA: on a path of the host (in this mount namespace). */
static long step_mount(char **field) {
  return SYS(mount, or_null(field[1]), field[2], or_null(field[3]), number(field[4]), or_null(field[5]));
}

/* propagation FLAGS: of everything mounted in this mount namespace. */
static long step_propagation(char **field) { return SYS(mount, 0, "/", 0, number(field[1]), 0); }

/* take SLOT SOURCE RECURSIVE: a copy of the mount at a path of the host, not mounted anywhere yet. */
static long step_take(char **field) {
  uint64_t slot = number(field[1]);
  if (slot >= MOST_TAKEN) return -EINVAL;
  int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (number(field[3]) ? AT_RECURSIVE : 0);
  long fd = SYS(open_tree, AT_FDCWD, field[2], flags);
  taken[slot] = fd;
  return fd;
}

/* attributes SLOT SETS CLEARS PROPAGATION RECURSIVE: of a mount that was taken. */
static long step_attributes(char **field) {
  uint64_t slot = number(field[1]);
  if (slot >= MOST_TAKEN) return -EINVAL;
  return set_attributes(taken[slot], field[2], field[3], field[4], field[5]);
}

/* put SLOT PATH: mounts what was taken on a path in the root. */
static long step_put(char **field) {
  uint64_t slot = number(field[1]);
  if (slot >= MOST_TAKEN) return -EINVAL;
  long target = open_making(field[2], is_directory(taken[slot]));
  if (target < 0) return target;
  long result = -ENOTDIR; /* a directory onto a file, or the other way round */
  if (is_directory(taken[slot]) == is_directory(target))
    result = SYS(move_mount, taken[slot], "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  SYS(close, target);
  SYS(close, taken[slot]);
  return result;
}

/* root PATH: the directory of the host that becomes the container's root. */
static long step_root(char **field) {
  return setup.root = SYS(openat, AT_FDCWD, field[1], O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

/* -ELOOP when a part of the path is a symlink: an image that moves /proc would take its masked paths elsewhere (CVE-2019-19921). */
static long refuse_symlinks(const char *path) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS};
  long fd = SYS(openat2, setup.root, path, &how, sizeof how);
  if (fd >= 0) SYS(close, fd);
  return fd == -ELOOP ? fd : 0;
}

/* mountin SOURCE PATH TYPE FLAGS DATA: a new file system on a directory in the root, which no symlink may lead to. */
static long step_mountin(char **field) {
  long refused = refuse_symlinks(field[2]);
  if (refused < 0) return refused;
  long target = open_making(field[2], true);
  if (target < 0) return target;
  TEXT(path, 32);
  path_of(&path, target);
  long result = SYS(mount, or_null(field[1]), path.bytes, field[3], number(field[4]), or_null(field[5]));
  SYS(close, target);
  return result;
}

/* mkdirin PATH: a directory in the root with its parents, where missing. */
static long step_mkdirin(char **field) {
  long fd = open_making(field[1], true);
  if (fd < 0) return fd;
  bool directory = is_directory(fd);
  SYS(close, fd);
  return directory ? 0 : -ENOTDIR;
}

/* nodein PATH MODE MAJOR MINOR UID GID: a device, with the type in MODE. */
static long step_nodein(char **field) {
  char *name;
  long parent = open_parent(field[1], &name);
  if (parent < 0) return parent;
  uint64_t mode = number(field[2]), major = number(field[3]), minor = number(field[4]);
  uint64_t device = (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xfful) << 12;
  long result = SYS(mknodat, parent, name, mode, device);
  if (result == 0) result = SYS(fchmodat, parent, name, mode & 07777); /* whatever the umask */
  if (result == 0) result = SYS(fchownat, parent, name, number(field[5]), number(field[6]), AT_SYMLINK_NOFOLLOW);
  SYS(close, parent);
  return result;
}

/* linkin TEXT PATH: a symlink, unless something is there. */
static long step_linkin(char **field) {
  char *name;
  long parent = open_parent(field[2], &name);
  if (parent < 0) return parent;
  long result = SYS(symlinkat, field[1], parent, name);
  SYS(close, parent);
  return result == -EEXIST ? 0 : result;
}

/* readonlyin PATH: what is at a path in the root becomes read-only, by a mount of itself. */
static long step_readonlyin(char **field) {
  long target = open_in(setup.root, field[1], O_PATH, 0);
  if (target < 0) return target;
  long tree = SYS(open_tree, target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  long result = tree < 0 ? tree : set_attributes(tree, "1", "0", "0", "1");
  if (result == 0) result = SYS(move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  SYS(close, target);
  SYS(close, tree);
  return result;
}

/* maskin PATH: what is at a path in the root can't be seen: an empty read-only directory, or /dev/null, covers it. */
static long step_maskin(char **field) {
  long target = open_in(setup.root, field[1], O_PATH, 0);
  if (target < 0) return target;
  TEXT(path, 32);
  path_of(&path, target);
  long result;
  if (is_directory(target)) {
    result = SYS(mount, "tmpfs", path.bytes, "tmpfs", 1 /* MS_RDONLY */, "nr_inodes=1");
  } else {
    result = SYS(mount, "/dev/null", path.bytes, 0, 4096 /* MS_BIND */, 0);
  }
  SYS(close, target);
  return result;
}

/* attributesin PATH SETS CLEARS PROPAGATION RECURSIVE: of the mount at a path in the root. */
static long step_attributesin(char **field) {
  long fd = open_in(setup.root, field[1], O_PATH, 0);
  if (fd < 0) return fd;
  long result = set_attributes(fd, field[2], field[3], field[4], field[5]);
  SYS(close, fd);
  return result;
}

/* /dev/null as stdin or output is the container's own, where it has one; the host's has no name in here any more. */
static void reopen_null(void) {
  for (int fd = 0; fd <= 2; fd++) {
    struct stat status;
    if (SYS(newfstatat, fd, "", &status, AT_EMPTY_PATH) < 0) continue;
    if ((status.st_mode & S_IFMT) != S_IFCHR || status.st_rdev != 0x103 /* 1:3 */) continue;
    long null = SYS(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (null < 0) return;
    SYS(dup3, null, fd, 0);
    SYS(close, null);
  }
}

/* pivot: the container's root becomes / and the host's is let go (pivot_root(2), "pivot_root(".", ".")"). */
static long step_pivot(char **field) {
  (void)field;
  long result = SYS(fchdir, setup.root);
  if (result == 0) result = SYS(pivot_root, ".", ".");
  if (result == 0) result = SYS(umount2, ".", 2 /* MNT_DETACH */);
  if (result == 0) result = SYS(chdir, "/");
  if (result == 0) reopen_null();
  return result;
}

const struct named_step mount_steps[] = {
    {"mount", step_mount},           {"propagation", step_propagation},
    {"take", step_take},             {"attributes", step_attributes},
    {"put", step_put},               {"root", step_root},
    {"mountin", step_mountin},       {"mkdirin", step_mkdirin},
    {"nodein", step_nodein},         {"linkin", step_linkin},
    {"readonlyin", step_readonlyin}, {"maskin", step_maskin},
    {"attributesin", step_attributesin}, {"pivot", step_pivot},
    {0, 0},
};
