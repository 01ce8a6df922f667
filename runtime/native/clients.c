#include "clients.h"
#include "log.h"
#include <asm/ioctls.h>
#include <asm/mman.h>
#include <asm/termios.h>
#include <linux/mman.h>
#include <linux/time.h>

#define HEADER 5
#define FRAME 16384
#define QUEUE (4 * (FRAME + HEADER))
#define PATIENCE_SECONDS 10 /* an attached client that takes nothing for so long is hung up on */

/* One mapping per client, given back when it goes: a shim nobody is attached to stays small. */
struct client {
  int fd;
  bool attached, fed_input;
  int64_t behind_since;
  size_t in_length;  /* bytes of the frame being read */
  size_t in_done;    /* of an input frame's payload: already written to stdin */
  size_t out_length; /* waiting to be sent */
  char in[HEADER + FRAME];
  char out[QUEUE];
};

static int listener = -1;
static struct client *clients[MOST_CLIENTS];

static int64_t now_seconds(void) {
  struct timespec64 now;
  SYS(clock_gettime, CLOCK_MONOTONIC, &now);
  return now.seconds;
}

long clients_listen(const char *path) {
  struct {
    unsigned short family;
    char path[108];
  } address = {.family = 1 /* AF_UNIX */};
  if (strlen(path) >= sizeof address.path) return -ENAMETOOLONG;
  memcpy(address.path, path, strlen(path));
  listener = SYS(socket, 1, 1 | 02000000 | 04000 /* SOCK_STREAM, CLOEXEC, NONBLOCK */, 0);
  if (listener < 0) return listener;
  SYS(unlinkat, AT_FDCWD, path, 0);
  long mask = SYS(umask, 0177);
  long result = SYS(bind, listener, &address, sizeof address);
  SYS(umask, mask);
  return result < 0 ? result : SYS(listen, listener, 16);
}

static void accept_one(void) {
  long fd = SYS(accept4, listener, 0, 0, 02000000 | 04000);
  if (fd < 0) return;
  for (int i = 0; i < MOST_CLIENTS; i++) {
    if (clients[i] != 0) continue;
    long memory = SYS(mmap, 0, sizeof(struct client), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory > -4096) break;
    clients[i] = (struct client *)memory;
    clients[i]->fd = fd;
    return;
  }
  SYS(close, fd);
}

static void close_input(struct container_io *io) {
  if (io->tty || io->input < 0) return;
  SYS(close, io->input);
  io->input = -1;
}

static void hang_up(int i, struct container_io *io) {
  struct client *client = clients[i];
  if (io != 0 && io->input_once && client->fed_input) close_input(io);
  SYS(close, client->fd);
  SYS(munmap, client, sizeof *client);
  clients[i] = 0;
}

/* Sends what waits, as far as it goes. */
static long send_waiting(struct client *client) {
  while (client->out_length > 0) {
    long n = SYS(sendto, client->fd, client->out, client->out_length, 0x4000 /* MSG_NOSIGNAL */, 0, 0);
    if (n == -EAGAIN || n == -EINTR) return 0;
    if (n < 0) return n;
    memmove(client->out, client->out + n, client->out_length - n);
    client->out_length -= n;
    client->behind_since = now_seconds();
  }
  return 0;
}

static void queue(struct client *client, char kind, const char *bytes, size_t n) {
  if (client->out_length + HEADER + n > QUEUE) return; /* the caller saw to it that there is room */
  if (client->out_length == 0) client->behind_since = now_seconds();
  char *frame = client->out + client->out_length;
  frame[0] = kind;
  for (int i = 0; i < 4; i++) frame[1 + i] = n >> (24 - 8 * i);
  memcpy(frame + HEADER, bytes, n);
  client->out_length += HEADER + n;
  send_waiting(client); /* a broken connection shows up in poll */
}

void clients_output(char kind, const char *bytes, size_t n) {
  for (int i = 0; i < MOST_CLIENTS; i++)
    if (clients[i] != 0 && clients[i]->attached) queue(clients[i], kind, bytes, n);
}

bool clients_keep_up(void) {
  for (int i = 0; i < MOST_CLIENTS; i++) {
    struct client *client = clients[i];
    if (client == 0 || !client->attached || client->out_length <= QUEUE - HEADER - FRAME) continue;
    if (now_seconds() - client->behind_since < PATIENCE_SECONDS) return false;
    hang_up(i, 0);
  }
  return true;
}

static size_t payload_length(struct client *client) {
  unsigned char *at = (unsigned char *)client->in + 1;
  return (size_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static int count_attached(void) {
  int count = 0;
  for (int i = 0; i < MOST_CLIENTS; i++) count += clients[i] != 0 && clients[i]->attached;
  return count;
}

/* Does what a whole frame asks. Returns 1, 0 when it has to wait for room in the container's stdin, -errno to be hung up on. */
static long obey(struct client *client, struct container_io *io) {
  char *payload = client->in + HEADER;
  size_t n = payload_length(client);
  switch (client->in[0]) {
  case 'A':
    if (!client->attached && count_attached() >= MOST_ATTACHED) return -EUSERS;
    client->attached = true;
    return 1;
  case 'I':
    client->fed_input = true;
    while (client->in_done < n && io->input >= 0) {
      long written = SYS(write, io->input, payload + client->in_done, n - client->in_done);
      if (written == -EAGAIN) return 0;
      if (written == -EINTR) continue;
      if (written < 0) close_input(io);
      if (written < 0) break;
      client->in_done += written;
    }
    return 1;
  case 'E':
    if (io->input_once) close_input(io);
    return 1;
  case 'W': {
    struct winsize size = {.ws_row = (unsigned char)payload[0] << 8 | (unsigned char)payload[1],
                           .ws_col = (unsigned char)payload[2] << 8 | (unsigned char)payload[3]};
    if (io->tty && n >= 4) SYS(ioctl, io->input, TIOCSWINSZ, &size);
    return 1;
  }
  case 'L': {
    char error = io->log_path == 0 ? 0 : -log_open(io->log_path);
    queue(client, 'R', &error, 1);
    return 1;
  }
  default:
    return 1;
  }
}

/* Reads one frame at a time: never more than is needed, so that what waits for stdin waits in the client. */
static long read_frames(struct client *client, struct container_io *io) {
  for (;;) {
    size_t whole = client->in_length < HEADER ? HEADER : HEADER + payload_length(client);
    if (whole > HEADER + FRAME) return -EMSGSIZE;
    if (client->in_length == whole && client->in_length >= HEADER) {
      long done = obey(client, io);
      if (done <= 0) return done;
      client->in_length = client->in_done = 0;
      continue;
    }
    long n = SYS(read, client->fd, client->in + client->in_length, whole - client->in_length);
    if (n == -EAGAIN || n == -EINTR) return 0;
    if (n <= 0) return n == 0 ? -EPIPE : n;
    client->in_length += n;
    if (client->in_length == HEADER && payload_length(client) > 0) continue;
  }
}

static bool waits_for_stdin(struct client *client) {
  return client->in_length > HEADER && client->in_length == HEADER + payload_length(client);
}

/* A client that waits for room in stdin has nothing to say meanwhile, not even that it has gone: poll tells a hangup whether asked
 * for or not, again and again. What it has sent before still arrives. */
int clients_poll(struct pollfd *entries, struct container_io *io) {
  int n = 0;
  bool stdin_full = false;
  entries[n++] = (struct pollfd){listener, POLLIN, 0};
  for (int i = 0; i < MOST_CLIENTS; i++) {
    struct client *client = clients[i];
    if (client == 0) continue;
    bool waits = io->input >= 0 && waits_for_stdin(client);
    stdin_full |= waits;
    short events = (waits ? 0 : POLLIN) | (client->out_length > 0 ? POLLOUT : 0);
    entries[n++] = (struct pollfd){events == 0 ? -1 : client->fd, events, 0};
  }
  entries[n++] = (struct pollfd){stdin_full ? io->input : -1, POLLOUT, 0};
  return n;
}

static short events_of(struct pollfd *entries, int count, int fd) {
  for (int i = 0; i < count; i++)
    if (entries[i].fd == fd) return entries[i].revents;
  return 0;
}

void clients_serve(struct pollfd *entries, int count, struct container_io *io) {
  bool stdin_ready = entries[count - 1].revents != 0;
  for (int i = 0; i < MOST_CLIENTS; i++) {
    if (clients[i] == 0) continue;
    short events = events_of(entries + 1, count - 2, clients[i]->fd);
    long result = 0;
    if ((events & POLLOUT) != 0) result = send_waiting(clients[i]);
    if (result == 0 && ((events & (POLLIN | POLLHUP | POLLERR)) != 0 || (stdin_ready && waits_for_stdin(clients[i]))))
      result = read_frames(clients[i], io);
    if (result < 0) hang_up(i, io);
  }
  if (entries[0].revents != 0) accept_one();
}

void clients_end(void) {
  struct pollfd entry;
  struct timespec64 moment = {1, 0};
  for (int i = 0; i < MOST_CLIENTS; i++) {
    if (clients[i] == 0) continue;
    while (clients[i]->out_length > 0) {
      entry = (struct pollfd){clients[i]->fd, POLLOUT, 0};
      if (SYS(ppoll, &entry, 1, &moment, 0, 0) <= 0 || send_waiting(clients[i]) < 0) break;
    }
    hang_up(i, 0);
  }
}
