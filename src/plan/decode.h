/* The decode strategy, for a few queries: they travel to all ranks, keys and values stay where they are and are read
 * once, and the partial results are merged. A row is one query of one head; rows of a KV head stand one behind the
 * other, those of a query side by side. */
#ifndef SR_PLAN_DECODE_H
#define SR_PLAN_DECODE_H

#include "plan.h"

/* Bytes of a thread, of what is reduced over the ranks, and of a plan's `special`. */
uint64_t sr_decode_worker_bytes(const sr_decision *d);
uint64_t sr_decode_reduced_bytes(const sr_decision *d);
uint64_t sr_decode_special_bytes(const sr_decision *d);

/* Fills in o and lse of this rank's rows, and the stats. Collective. Errors: SR_ERR_NONFINITE, SR_ERR_MPI. */
sr_status sr_plan_decode(sr_plan *plan, const sr_tensors *tensors);

#endif
