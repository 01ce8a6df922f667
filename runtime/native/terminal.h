/* Terminals, and the socket between a starting child and its parent. */
#ifndef PODWRIGHT_TERMINAL_H
#define PODWRIGHT_TERMINAL_H

#include "text.h"

/* Field 22 of /proc/PID/stat; 0 when there is no such process. */
uint64_t process_start_time(uint64_t pid);

/* In the child: opens a terminal of the devpts below `root` (-1: of this process's root), makes it the controlling terminal and
 * stdin, stdout, stderr (with the window size of the stdin before), binds it to dev/console of `root`, and sends its master over the socket `report`. */
long terminal_take(int root, int report);

/* Gives terminal `to` the window size of `from`; where either is no terminal, nothing happens. */
void terminal_copy_size(int from, int to);

/* In the parent: receives one message. Returns its length, 0 at the end, -errno; `fd` is the one that came with it, or -1. */
long receive(int socket, char *message, size_t capacity, int *fd);

#endif
