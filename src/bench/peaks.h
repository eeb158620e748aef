/* The loops of kernels/peak.h on several threads for a moment. */
#ifndef SR_BENCH_PEAKS_H
#define SR_BENCH_PEAKS_H

#include <seqring/types.h>
#include <stdint.h>

/* Floating-point operations a second of multiply-adds in registers; 0 for an isa without a loop. */
double sr_flop_rate(const char *isa, sr_dtype compute, int threads);

/* Bytes a second of reading k and v, each thread an equal part of both, from end to end at least once. */
double sr_read_rate(const char *isa, const void *k, uint64_t k_bytes, const void *v, uint64_t v_bytes, int threads);

#endif
