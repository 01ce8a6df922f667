/* The system calls that the programs use, straight to the kernel, without a C library: a result below zero is -errno.
 * No library means a process of some tens of KiB instead of half a MiB, and one of them runs per container. */
#ifndef PODWRIGHT_KERNEL_H
#define PODWRIGHT_KERNEL_H

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
static inline long call(long n, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return n;
}
#elif defined(__aarch64__)
static inline long call(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "podwright's native programs know the system call convention of x86_64 and aarch64 only"
#endif

/* The kernel's own name of a call, with as many arguments as given: SYS(openat, AT_FDCWD, path, flags, mode). */
#define SYS(name, ...) SYS_(name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SYS_(name, a, b, c, d, e, f, ...) \
  call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *at, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* The program, called by the entry point with what the kernel left on the stack. */
int run(int argc, char **argv, char **envp);

struct timespec64 {
  int64_t seconds;
  int64_t nanoseconds;
};

#endif
