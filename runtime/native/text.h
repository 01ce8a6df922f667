/* Text without a C library: comparing, numbers, and building short messages in a buffer that cannot overflow. */
#ifndef PODWRIGHT_TEXT_H
#define PODWRIGHT_TEXT_H

#include "kernel.h"
#include <stdbool.h>

struct text {
  char *bytes;
  size_t length;
  size_t capacity;
};

bool same(const char *a, const char *b);
bool starts_with(const char *s, const char *prefix);
/* The number at the start of `s`: decimal, hexadecimal with 0x, octal with a leading 0. */
uint64_t number(const char *s);

/* What does not fit is left out. */
void add(struct text *text, const char *s);
void add_bytes(struct text *text, const char *bytes, size_t n);
void add_number(struct text *text, uint64_t value);
/* `value` with leading zeros, `width` digits. */
void add_digits(struct text *text, uint64_t value, int width);

/* Writes all of it, however long it takes. */
long write_all(int fd, const char *bytes, size_t n);
/* Reads a small file into `buffer`, ends it with NUL, returns the length. */
long read_file(const char *path, char *buffer, size_t capacity);

#define TEXT(name, size)  \
  char name##_bytes[size]; \
  struct text name = {name##_bytes, 0, size}

#endif
