/* The entry point, and the four functions that the compiler takes for granted. */
#include "kernel.h"

#if defined(__x86_64__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call enter\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x29, #0\n mov x0, sp\n bl enter\n");
#endif

__attribute__((noreturn, used)) void enter(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1);
  SYS(exit_group, run(argc, argv, argv + argc + 1));
  __builtin_unreachable();
}

void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}

void *memmove(void *to, const void *from, size_t n) {
  if (to <= from) return memcpy(to, from, n);
  while (n-- > 0) ((char *)to)[n] = ((const char *)from)[n];
  return to;
}

void *memset(void *at, int byte, size_t n) {
  for (size_t i = 0; i < n; i++) ((char *)at)[i] = (char)byte;
  return at;
}

int memcmp(const void *a, const void *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int difference = ((const unsigned char *)a)[i] - ((const unsigned char *)b)[i];
    if (difference != 0) return difference;
  }
  return 0;
}

size_t strlen(const char *s) {
  size_t n = 0;
  while (s[n] != 0) n++;
  return n;
}
