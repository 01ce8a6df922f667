#include "text.h"

bool same(const char *a, const char *b) {
  size_t n = strlen(a);
  return n == strlen(b) && memcmp(a, b, n) == 0;
}

bool starts_with(const char *s, const char *prefix) {
  size_t n = strlen(prefix);
  return strlen(s) >= n && memcmp(s, prefix, n) == 0;
}

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return 99;
}

uint64_t number(const char *s) {
  uint64_t value = 0;
  int base = 10;
  if (s[0] == '0' && s[1] == 'x') {
    base = 16;
    s += 2;
  } else if (s[0] == '0') {
    base = 8;
  }
  for (; digit(*s) < base; s++) value = value * base + digit(*s);
  return value;
}

void add_bytes(struct text *text, const char *bytes, size_t n) {
  size_t room = text->capacity - text->length;
  if (n > room) n = room;
  memcpy(text->bytes + text->length, bytes, n);
  text->length += n;
}

void add(struct text *text, const char *s) { add_bytes(text, s, strlen(s)); }

void add_digits(struct text *text, uint64_t value, int width) {
  char digits[20];
  int n = 0;
  do {
    digits[sizeof digits - ++n] = '0' + value % 10;
    value /= 10;
  } while ((value > 0 || n < width) && n < (int)sizeof digits);
  add_bytes(text, digits + sizeof digits - n, n);
}

void add_number(struct text *text, uint64_t value) { add_digits(text, value, 1); }

long write_all(int fd, const char *bytes, size_t n) {
  while (n > 0) {
    long written = SYS(write, fd, bytes, n);
    if (written == -EINTR) continue;
    if (written < 0) return written;
    bytes += written;
    n -= written;
  }
  return 0;
}

long read_file(const char *path, char *buffer, size_t capacity) {
  long fd = SYS(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  size_t length = 0;
  long n;
  do {
    n = SYS(read, fd, buffer + length, capacity - 1 - length);
    if (n > 0) length += n;
  } while (n > 0 && length < capacity - 1);
  SYS(close, fd);
  buffer[length] = 0;
  return n < 0 ? n : (long)length;
}
