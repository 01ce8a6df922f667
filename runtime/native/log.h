/* The CRI log: `2006-01-02T15:04:05.999999999Z stdout F the line`, one write for all the lines of one read. */
#ifndef PODWRIGHT_LOG_H
#define PODWRIGHT_LOG_H

#include "text.h"

#define LONGEST_LINE 16384 /* longer ones are cut into parts, tag P, as containerd's max_container_log_line_size */

struct stream {
  int fd;            /* -1 when it has ended */
  const char *name;  /* stdout, stderr */
  size_t length;     /* of the line begun */
  char line[LONGEST_LINE];
};

/* Opens the log anew at its path (mode 0640); rotation moves the old file away first. 0 or -errno. */
long log_open(const char *path);
/* Logs the whole lines in `bytes` and keeps what is left for the next time. */
void log_write(struct stream *stream, const char *bytes, size_t n);
/* At the end of the stream: a line without its newline is logged as a part. */
void log_end(struct stream *stream);

#endif
