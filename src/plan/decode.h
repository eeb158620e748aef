/* The strategy whose queries travel. */
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
