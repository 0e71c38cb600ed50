// Makes a chosen system call of a process fail, or kills or stops the process inside it. Loaded
// with LD_PRELOAD.
//
//   BOLLYGAN_FAULT="CALL NUMBER ACT"   BOLLYGAN_FAULT_PATH="PATTERN"
//
// CALL is create (an open that may create a file), write, fsync or rename. NUMBER counts, from 1,
// the calls for files whose path matches the shell pattern (for rename, the new path). ACT is
//
//   before, after   kills the process before or after the call takes effect
//   half            writes half of the bytes, then kills the process
//   later:US        kills the process that many microseconds after the call
//   stop            stops the process (SIGSTOP) before the call, until it is continued
//   hold            never returns from the call
//   once:E          fails the call with errno E
//   from:E          fails this call and all later ones with errno E
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum action { pass, fail, half, die_after, die_later };

static int delay;

static void *kill_later(void *unused) {
  (void)unused;
  usleep(delay);
  kill(getpid(), SIGKILL);
  return NULL;
}

static enum action choose(const char *call, const char *path) {
  static atomic_int count;
  const char *fault = getenv("BOLLYGAN_FAULT"), *pattern = getenv("BOLLYGAN_FAULT_PATH");
  char name[16], act[32];
  int number = 0;
  if (!fault || !pattern || sscanf(fault, "%15s %d %31s", name, &number, act) < 3) return pass;
  if (strcmp(name, call) != 0 || fnmatch(pattern, path, 0) != 0) return pass;
  int now = atomic_fetch_add(&count, 1) + 1;
  if (strncmp(act, "from:", 5) == 0 && now >= number) {
    errno = atoi(act + 5);
    return fail;
  }
  if (now != number) return pass;
  if (strcmp(act, "before") == 0) raise(SIGKILL);
  if (strcmp(act, "after") == 0) return die_after;
  if (strcmp(act, "half") == 0) return half;
  // raise() stops this thread before it continues, which kill() would not guarantee.
  if (strcmp(act, "stop") == 0) raise(SIGSTOP);
  if (strcmp(act, "hold") == 0) {
    for (;;) pause();
  }
  if (strncmp(act, "later:", 6) == 0) {
    delay = atoi(act + 6);
    return die_later;
  }
  if (strncmp(act, "once:", 5) == 0) {
    errno = atoi(act + 5);
    return fail;
  }
  return pass;
}

static enum action choose_for_file(const char *call, int file) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  return choose(call, path);
}

// What to do after the call.
static void follow(enum action action) {
  if (action == half || action == die_after) raise(SIGKILL);
  if (action == die_later) {
    pthread_t thread;
    pthread_create(&thread, NULL, kill_later, NULL);
  }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t size) {
  enum action action = choose_for_file("write", file);
  if (action == fail) return -1;
  ssize_t result = REAL(write)(file, bytes, action == half ? size / 2 : size);
  follow(action);
  return result;
}

int fsync(int file) {
  enum action action = choose_for_file("fsync", file);
  if (action == fail) return -1;
  int result = REAL(fsync)(file);
  follow(action);
  return result;
}

int rename(const char *from, const char *to) {
  enum action action = choose("rename", to);
  if (action == fail) return -1;
  int result = REAL(rename)(from, to);
  follow(action);
  return result;
}

#define OPEN(name)                                                                          \
  int name(const char *path, int flags, ...) {                                              \
    va_list more;                                                                           \
    va_start(more, flags);                                                                  \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                 \
    va_end(more);                                                                           \
    enum action action = flags & O_CREAT ? choose("create", path) : pass;                  \
    if (action == fail) return -1;                                                         \
    int result = REAL(name)(path, flags, mode);                                             \
    follow(action);                                                                        \
    return result;                                                                          \
  }

OPEN(open)
OPEN(open64)
