// A pool of threads for tasks of microseconds.
//
// Work comes in rounds, counted by `round`. A thread that sees the counter change takes tasks, one
// at a time, until none are left. A round ends only when every thread of the pool has left it, so
// no thread can miss a round or take a task of another. Waiting threads spin for a while (waking a
// sleeping thread takes longer), then sleep on a condition variable.

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
  int threads;             // the caller's included
  pthread_t *handles;      // [threads]; the first is not used
  pthread_mutex_t mutex;   // guards sleeping and waking
  pthread_cond_t woken;    // signals a new round, or the end of the pool
  pthread_cond_t drained;  // signals the end of a round
  pthread_mutex_t turn;    // held by the caller whose round it is
  atomic_uint round;       // rounds begun so far
  atomic_int stopping;     // the pool is about to be freed

  // The current round.
  void (*body)(void *, size_t, int);
  void *context;
  size_t tasks;
  atomic_size_t next;  // the first task that no thread has taken
  atomic_int working;  // threads, besides the caller's, that have not left the round
};

// What a new thread is told; it frees the memory.
typedef struct {
  bg_pool *pool;
  int index;
} seat;

// Pauses before a thread sleeps: tens of microseconds, longer than the time between two layers.
enum { SPINS = 2000 };

static inline void pause_processor(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Takes tasks until none are left.
static void work(bg_pool *pool, int thread) {
  for (;;) {
    const size_t task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (task >= pool->tasks) return;
    pool->body(pool->context, task, thread);
  }
}

// The life of a thread: wait for a round, work, report, until the pool is freed.
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
      // With fewer threads results are the same, but take longer.
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
