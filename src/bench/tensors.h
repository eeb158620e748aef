/* One rank's q, k, v, o and lse of a plan, filled with unit-normal numbers. */
#ifndef SR_BENCH_TENSORS_H
#define SR_BENCH_TENSORS_H

#include <seqring/plan.h>

/* Starts zeroed. */
typedef struct sr_bench_tensors {
  sr_options made_for;
  sr_balance balance; /* how the rows were dealt */
  void *q, *k, *v, *o, *lse;
  uint64_t k_bytes, v_bytes;
} sr_bench_tensors;

/* Whether they have the shape, types and rows that a plan wants. */
bool sr_bench_tensors_suit(const sr_bench_tensors *tensors, const sr_options *options, const sr_plan_info *info);

/* Makes them for a plan, of these options, in place of what they were. Not collective. Errors: SR_ERR_RESOURCE. */
sr_status sr_bench_tensors_make(const sr_plan *plan, const sr_options *options, uint64_t seed,
                                sr_bench_tensors *tensors);

void sr_bench_tensors_free(sr_bench_tensors *tensors);

#endif
