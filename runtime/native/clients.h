/* The control socket: attach clients and the daemon. A frame is a letter, the payload's length (4 bytes, big endian), the payload.
 *
 *   to the shim            A  attach: send me output from now on        I  input for stdin
 *                          E  end of stdin (heeded with stdin once)     W  window size: rows, columns (2 bytes each, big endian)
 *                          L  open the log anew
 *   from the shim          O  output of stdout or the terminal          X  output of stderr
 *                          R  reply to L: errno (1 byte, 0 is done)
 */
#ifndef PODWRIGHT_CLIENTS_H
#define PODWRIGHT_CLIENTS_H

#include "text.h"
#include <linux/poll.h>

#define MOST_ATTACHED 16
#define MOST_CLIENTS (MOST_ATTACHED + 1) /* so that the daemon, which is never attached for long, gets in to ask for a new log */

/* What a client may ask of the supervisor. */
struct container_io {
  int input;      /* writes to stdin: a pipe or the terminal's master; -1 when there is none or it is closed */
  bool tty;
  bool input_once;
  const char *log_path;
};

/* Listens on the path; 0 or -errno. */
long clients_listen(const char *path);
/* Fills in what to wait for; returns the number of entries used (at most MOST_CLIENTS + 2). */
int clients_poll(struct pollfd *entries, struct container_io *io);
/* Serves what poll found, given the same entries. */
void clients_serve(struct pollfd *entries, int count, struct container_io *io);
/* Sends output to those attached. */
void clients_output(char kind, const char *bytes, size_t n);
/* False while an attached client is behind: output is then left in the pipe, which slows the container as a terminal would. */
bool clients_keep_up(void);
/* At the end: what is still to be sent gets a moment, then everyone is hung up on. */
void clients_end(void);

#endif
