/* Unit-normal tensors that depend on a seed and on absolute positions, never on ranks or threads. */
#ifndef SR_BENCH_NORMAL_H
#define SR_BENCH_NORMAL_H

#include <seqring/status.h>
#include <seqring/types.h>

/* Fills rows of a tensor of width elements a token, [rows->count, width] of dtype, on this many threads. Tensors of
 * different seeds are independent. Errors: SR_ERR_RESOURCE. */
sr_status sr_normal_fill(sr_dtype dtype, uint64_t seed, const sr_rows *rows, int64_t width, int threads, void *to);

#endif
