/* Numbers of OpenMP threads. */
#ifndef SR_BASE_THREADS_H
#define SR_BASE_THREADS_H

#include <omp.h>

/* So many threads, or as many as OMP_THREAD_LIMIT leaves. */
static inline int sr_threads_allowed(int threads) {
  const int most = omp_get_thread_limit();
  return threads < most ? threads : most;
}

/* Threads where so many are asked for, 0 being OpenMP's own choice. */
static inline int sr_threads_for(int wanted) {
  return sr_threads_allowed(wanted > 0 ? wanted : omp_get_max_threads());
}

#endif
