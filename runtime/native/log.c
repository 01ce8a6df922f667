#include "log.h"
#include <linux/time.h>

static int log_fd = -1;
static char out_bytes[32 * 1024];
static struct text out = {out_bytes, 0, sizeof out_bytes};

long log_open(const char *path) {
  long fd = SYS(openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
  if (fd < 0) return fd;
  if (log_fd >= 0) SYS(close, log_fd);
  log_fd = fd;
  return 0;
}

/* A full disk or a vanished directory must not stop the container: what cannot be written is dropped. */
static void flush(void) {
  if (log_fd >= 0 && out.length > 0) write_all(log_fd, out.bytes, out.length);
  out.length = 0;
}

/* Days since 1970 to a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static void add_time(struct text *text) {
  struct timespec64 now;
  SYS(clock_gettime, CLOCK_REALTIME, &now);
  uint64_t days = now.seconds / 86400 + 719468, seconds = now.seconds % 86400;
  uint64_t era = days / 146097, day = days % 146097;
  uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  day -= 365 * year + year / 4 - year / 100;
  uint64_t shifted = (5 * day + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
  add_digits(text, year + era * 400 + (month <= 2), 4);
  add(text, "-");
  add_digits(text, month, 2);
  add(text, "-");
  add_digits(text, day - (153 * shifted + 2) / 5 + 1, 2);
  add(text, "T");
  add_digits(text, seconds / 3600, 2);
  add(text, ":");
  add_digits(text, seconds / 60 % 60, 2);
  add(text, ":");
  add_digits(text, seconds % 60, 2);
  add(text, ".");
  add_digits(text, now.nanoseconds, 9);
  add(text, "Z ");
}

static void add_entry(struct stream *stream, const char *tag) {
  if (out.capacity - out.length < stream->length + 64) flush();
  add_time(&out);
  add(&out, stream->name);
  add(&out, tag);
  add_bytes(&out, stream->line, stream->length);
  add(&out, "\n");
  stream->length = 0;
}

void log_write(struct stream *stream, const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] == '\n') {
      if (stream->length > 0 && stream->line[stream->length - 1] == '\r') stream->length--;
      add_entry(stream, " F ");
      continue;
    }
    if (stream->length == LONGEST_LINE) add_entry(stream, " P ");
    stream->line[stream->length++] = bytes[i];
  }
  flush();
}

void log_end(struct stream *stream) {
  if (stream->length > 0) add_entry(stream, " P ");
  flush();
}
