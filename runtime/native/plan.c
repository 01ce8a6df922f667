#include "plan.h"
#include <asm/mman.h>
#include <asm/stat.h>
#include <linux/mman.h>

struct setup setup = {.root = -1, .report = -1, .fork_cgroup = -1, .target_cgroup = -1, .target = -1};
struct words arguments, environment;
const char *failure_detail = "";

long plan_open(struct plan *plan, const char *path) {
  long fd = SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  struct stat status;
  long result = SYS(newfstatat, fd, "", &status, AT_EMPTY_PATH);
  if (result == 0 && status.st_size == 0) result = -EINVAL;
  if (result == 0) result = SYS(mmap, 0, status.st_size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  SYS(close, fd);
  if (result < 0 && result > -4096) return result;
  if (((char *)result)[status.st_size - 1] != '\n') return -EINVAL; /* cut short */
  *plan = (struct plan){.next = (char *)result, .end = (char *)result + status.st_size, .size = status.st_size + 1};
  return 0;
}

void plan_close(struct plan *plan) { SYS(munmap, plan->end + 1 - plan->size, plan->size); }

/* Takes the next line apart in place. Returns the number of fields; 0 at the end. */
static int next_line(struct plan *plan, char **field) {
  if (plan->next >= plan->end) return 0;
  plan->line++;
  int fields = 1;
  char *from = plan->next, *to = plan->next;
  field[0] = to;
  for (; from < plan->end && *from != '\n'; from++) {
    if (*from == '\t' && fields < MOST_FIELDS) {
      *to++ = 0;
      field[fields++] = to;
    } else if (*from == '\\' && from + 1 < plan->end) {
      from++;
      *to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from;
    } else {
      *to++ = *from;
    }
  }
  plan->next = from + 1;
  *to = 0;
  for (int i = fields; i < MOST_FIELDS; i++) field[i] = "";
  return fields;
}

static step *find(const struct named_step *steps, const char *name) {
  for (; steps->name != 0; steps++)
    if (same(steps->name, name)) return steps->function;
  return 0;
}

void report(int fd, const char *kind, int line, long error, const char *detail) {
  TEXT(message, 512);
  add(&message, kind);
  add(&message, "\t");
  add_number(&message, line);
  add(&message, "\t");
  add_number(&message, -error);
  add(&message, "\t");
  add(&message, detail);
  add(&message, "\n");
  write_all(fd, message.bytes, message.length);
}

long plan_do(struct plan *plan, const char *stop) {
  char *field[MOST_FIELDS];
  while (next_line(plan, field) > 0) {
    char *name = field[0];
    if (*name == 0 || *name == '#') continue;
    bool may_fail = *name == '?', may_be_absent = *name == '~';
    if (may_fail || may_be_absent) field[0] = ++name;
    if (same(name, stop)) {
      setup.fork_flags = number(field[1]);
      return 0;
    }
    step *function = find(mount_steps, name);
    if (function == 0) function = find(process_steps, name);
    long result = function == 0 ? -ENOSYS : function(field);
    if (result >= 0) continue;
    if (may_be_absent && (result == -ENOENT || result == -ENOTDIR)) continue;
    if (!may_fail) return result;
    report(setup.report, "warning", plan->line, result, "");
  }
  return 0;
}
