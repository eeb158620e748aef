#include "peaks.h"

#include <omp.h>

#include "base/clock.h"
#include "kernels/peak.h"

/* Seconds that a loop is watched for, and loops between two looks at the clock: a fraction of a millisecond. */
#define MOMENT 0.025
enum { LOOPS = 1 << 16 };

double sr_flop_rate(const char *isa, sr_dtype compute, int threads) {
  double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    double flops = 0, start = sr_now(), now = start;
    for (; now < start + MOMENT; now = sr_now()) flops += sr_peak_run(isa, compute, LOOPS);
    rate = flops / (now - start);
  }
  return rate;
}

/* Part i of n, whose borders are pages. */
static uint64_t read_part(const char *isa, const void *memory, uint64_t bytes, int i, int n) {
  const uint64_t page = 4096, pages = (bytes + page - 1) / page;
  uint64_t from = pages * (uint64_t)i / (uint64_t)n * page, to = pages * (uint64_t)(i + 1) / (uint64_t)n * page;
  if (to > bytes) to = bytes;
  return from < to ? sr_peak_read(isa, (const char *)memory + from, to - from) : 0;
}

double sr_read_rate(const char *isa, const void *k, uint64_t k_bytes, const void *v, uint64_t v_bytes, int threads) {
  double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    int i = omp_get_thread_num(), n = omp_get_num_threads();
    double bytes = 0, start = sr_now(), now = start;
    for (; now < start + MOMENT; now = sr_now())
      bytes += (double)(read_part(isa, k, k_bytes, i, n) + read_part(isa, v, v_bytes, i, n));
    rate = bytes / (now - start);
  }
  return rate;
}
