/* Memory of the decode strategy. */
#ifndef SR_PLAN_DECODE_H
#define SR_PLAN_DECODE_H

#include "decision.h"

/* Bytes of a thread, of what is reduced over the ranks, and of a plan's `special`. */
uint64_t sr_decode_worker_bytes(const sr_decision *d);
uint64_t sr_decode_reduced_bytes(const sr_decision *d);
uint64_t sr_decode_special_bytes(const sr_decision *d);

#endif
