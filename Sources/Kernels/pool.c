// A pool of threads for tasks of microseconds.
//
// A round of work is one 64-bit number that grows: its upper half names the round, so that a
// thread that wakes late cannot take a task of a later one. Waiting threads spin for a little
// while, then sleep on a condition variable.

#if defined(__linux__)
#define _GNU_SOURCE  // sched_getaffinity
#endif
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "bg_kernels.h"

struct bg_pool {
  int threads;
  pthread_t *handles;
  pthread_mutex_t mutex;   // guards sleeping and waking
  pthread_cond_t woken;    // a new round, or the end
  pthread_cond_t drained;  // a round has ended
  pthread_mutex_t turn;    // one round at a time
  atomic_uint round;       // grows with each round
  atomic_int stopping;
  atomic_int sleepers;

  void (*body)(void *, size_t, int);
  void *context;
  size_t tasks;
  atomic_size_t next;   // first task that nobody has taken
  atomic_int working;   // pool threads that have not left this round
};

typedef struct {
  bg_pool *pool;
  int index;
} seat;

enum { SPINS = 2000 };

static inline void pause_processor(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void work(bg_pool *pool, int thread) {
  for (;;) {
    const size_t task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (task >= pool->tasks) return;
    pool->body(pool->context, task, thread);
  }
}

static void *serve(void *argument) {
  seat *own = argument;
  bg_pool *pool = own->pool;
  const int index = own->index;
  free(own);
  unsigned seen = 0;
  for (;;) {
    int spins = SPINS;
    while (atomic_load_explicit(&pool->round, memory_order_acquire) == seen && spins-- > 0)
      pause_processor();
    if (atomic_load_explicit(&pool->round, memory_order_acquire) == seen) {
      pthread_mutex_lock(&pool->mutex);
      while (atomic_load(&pool->round) == seen) pthread_cond_wait(&pool->woken, &pool->mutex);
      pthread_mutex_unlock(&pool->mutex);
    }
    seen++;
    if (atomic_load(&pool->stopping)) return 0;
    work(pool, index);
    if (atomic_fetch_sub(&pool->working, 1) == 1) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->drained);
      pthread_mutex_unlock(&pool->mutex);
    }
  }
}

static void begin_round(bg_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add_explicit(&pool->round, 1, memory_order_release);
  pthread_cond_broadcast(&pool->woken);
  pthread_mutex_unlock(&pool->mutex);
}

bg_pool *bg_pool_create(int threads) {
  if (threads < 1) return 0;
  bg_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return 0;
  pool->handles = calloc((size_t)threads, sizeof *pool->handles);
  if (!pool->handles) {
    free(pool);
    return 0;
  }
  pthread_mutex_init(&pool->mutex, 0);
  pthread_mutex_init(&pool->turn, 0);
  pthread_cond_init(&pool->woken, 0);
  pthread_cond_init(&pool->drained, 0);
  pool->threads = 1;
  for (int index = 1; index < threads; index++) {
    seat *own = malloc(sizeof *own);
    if (!own) break;
    *own = (seat){pool, index};
    if (pthread_create(&pool->handles[index], 0, serve, own) != 0) {
      // Fewer threads give the same results, later.
      free(own);
      break;
    }
    pool->threads++;
  }
  return pool;
}

void bg_pool_destroy(bg_pool *pool) {
  if (!pool) return;
  atomic_store(&pool->stopping, 1);
  begin_round(pool);
  for (int index = 1; index < pool->threads; index++) pthread_join(pool->handles[index], 0);
  pthread_cond_destroy(&pool->drained);
  pthread_cond_destroy(&pool->woken);
  pthread_mutex_destroy(&pool->turn);
  pthread_mutex_destroy(&pool->mutex);
  free(pool->handles);
  free(pool);
}

int bg_pool_threads(const bg_pool *pool) { return pool->threads; }

void bg_pool_run(bg_pool *pool, size_t tasks, void (*body)(void *, size_t, int), void *context) {
  if (pool->threads == 1 || tasks < 2) {
    pthread_mutex_lock(&pool->turn);
    for (size_t task = 0; task < tasks; task++) body(context, task, 0);
    pthread_mutex_unlock(&pool->turn);
    return;
  }
  pthread_mutex_lock(&pool->turn);
  pool->body = body;
  pool->context = context;
  pool->tasks = tasks;
  atomic_store(&pool->next, 0);
  atomic_store(&pool->working, pool->threads - 1);
  begin_round(pool);
  work(pool, 0);
  int spins = SPINS;
  while (atomic_load_explicit(&pool->working, memory_order_acquire) && spins-- > 0)
    pause_processor();
  if (atomic_load_explicit(&pool->working, memory_order_acquire)) {
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->working)) pthread_cond_wait(&pool->drained, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
  }
  pthread_mutex_unlock(&pool->turn);
}

int bg_processors(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}
