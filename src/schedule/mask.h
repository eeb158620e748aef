/* Mask arithmetic: every mask shows a query one run of keys. */
#ifndef SR_SCHEDULE_MASK_H
#define SR_SCHEDULE_MASK_H

#include <seqring/mask.h>
#include <seqring/types.h>

/* Keys [lo, hi) that one query sees; empty when lo == hi. */
typedef struct sr_range {
  int64_t lo, hi;
} sr_range;

/* Position of query 0, with SR_Q_START_END resolved. */
int64_t sr_mask_q_start(const sr_mask *mask, int64_t q_len, int64_t kv_len);

/* What the query at a position sees of kv_len keys. The mask's q_start plays no part. */
sr_range sr_mask_range(const sr_mask *mask, int64_t position, int64_t kv_len);

/* Smallest run that holds what the queries at positions [first, first + count) see. All of it is seen by some query
 * unless the mask leaves gaps, which no mask does. */
sr_range sr_mask_union(const sr_mask *mask, int64_t first, int64_t count, int64_t kv_len);

/* Visible (query, key) pairs of the queries at positions [first, first + count) and the keys of one span. A double:
 * counts may pass 2^63; exact below 2^53. Positions and windows are below 2^60. */
double sr_mask_pairs(const sr_mask *mask, int64_t first, int64_t count, sr_span keys);

#endif
