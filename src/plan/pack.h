/* The caller's tensors in the kernels' units, and back. */
#ifndef SR_PLAN_PACK_H
#define SR_PLAN_PACK_H

#include "plan.h"

/* A query in the kernel's units: times scale * log2(e), or rounded to bfloat16. */
void sr_pack_query(const sr_decision *d, const void *query, void *units);

/* NaN and Inf elements of q, and of a segment of this rank's shard of k and v, that some query sees. */
int64_t sr_nonfinite_queries(const sr_decision *d, const void *q);
int64_t sr_nonfinite_segment(const sr_decision *d, const sr_tensors *tensors, int64_t segment);

/* Converts what is worked on: k and v into their place in the team's first buffer, q into the tiles that keep their
 * state; fills in this rank's part of key_norm, whose other parts become 0. Returns the NaN and Inf elements of k and v
 * that some query sees, and those that sr_pack_tile tells of. */
int64_t sr_plan_pack(sr_plan *plan, const sr_tensors *tensors);

/* Converts a tile's queries into its state. Returns the NaN and Inf elements of q in queries that see keys, or 0 where
 * they have been counted before (sr_decision_counts_queries). */
int64_t sr_pack_tile(const sr_plan *plan, int64_t tile, const sr_tensors *tensors, const sr_state *state);

/* Writes a tile's o and lse from what its rows see and from its accumulator, which is used up. */
void sr_unpack_tile(const sr_plan *plan, int64_t tile, const sr_sight *sees, sr_accumulator accumulator,
                    const sr_tensors *tensors);

#endif
