// Lets a chosen call of a process fail, or ends the process inside it. Loaded by LD_PRELOAD.
//
//   BOLLYGAN_FAULT="CALL NUMBER ACT [BYTES]"
//
// CALL is write, fsync or rename; NUMBER counts its calls from 1; writes of fewer than BYTES bytes
// are not counted. ACT is
//
//   before, after   killed before the call takes effect, or when it has
//   half            a write takes half of its bytes, then the process is killed
//   once:E          the call fails with errno E
//   from:E          this call and all later ones fail with errno E
//   sleep:S         the call takes S seconds longer
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum verdict { pass, fail, half, die_after };

static enum verdict judge(const char *call, atomic_int *count, size_t size) {
  const char *fault = getenv("BOLLYGAN_FAULT");
  char name[16], act[16];
  int number = 0;
  size_t least = 0;
  if (!fault || sscanf(fault, "%15s %d %15s %zu", name, &number, act, &least) < 3) return pass;
  if (strcmp(name, call) != 0 || size < least) return pass;
  int now = atomic_fetch_add(count, 1) + 1;
  if (strncmp(act, "from:", 5) == 0 && now >= number) {
    errno = atoi(act + 5);
    return fail;
  }
  if (now != number) return pass;
  if (strcmp(act, "before") == 0) raise(SIGKILL);
  if (strcmp(act, "after") == 0) return die_after;
  if (strcmp(act, "half") == 0) return half;
  if (strncmp(act, "sleep:", 6) == 0) sleep(atoi(act + 6));
  if (strncmp(act, "once:", 5) == 0) {
    errno = atoi(act + 5);
    return fail;
  }
  return pass;
}

ssize_t write(int file, const void *bytes, size_t size) {
  static atomic_int count;
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  enum verdict verdict = judge("write", &count, size);
  if (verdict == fail) return -1;
  ssize_t result = real(file, bytes, verdict == half ? size / 2 : size);
  if (verdict == half || verdict == die_after) raise(SIGKILL);
  return result;
}

int fsync(int file) {
  static atomic_int count;
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  enum verdict verdict = judge("fsync", &count, 0);
  if (verdict == fail) return -1;
  int result = real(file);
  if (verdict == die_after) raise(SIGKILL);
  return result;
}

int rename(const char *from, const char *to) {
  static atomic_int count;
  static int (*real)(const char *, const char *);
  if (!real) real = dlsym(RTLD_NEXT, "rename");
  enum verdict verdict = judge("rename", &count, 0);
  if (verdict == fail) return -1;
  int result = real(from, to);
  if (verdict == die_after) raise(SIGKILL);
  return result;
}
