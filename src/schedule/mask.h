/* Mask arithmetic: every mask shows a query two runs of keys at most. */
#ifndef SR_SCHEDULE_MASK_H
#define SR_SCHEDULE_MASK_H

#include <seqring/mask.h>
#include <seqring/types.h>

/* Keys [lo, hi); empty when lo == hi. */
typedef struct sr_range {
  int64_t lo, hi;
} sr_range;

/* Runs of keys that a query sees: sinks that lie before its window, and the window. Which run a key is in depends on
 * the query alone. */
enum { SR_SIGHT_SINKS, SR_SIGHT_WINDOW, SR_SIGHT_RUNS };

/* They do not overlap. */
typedef struct sr_sight {
  sr_range run[SR_SIGHT_RUNS];
} sr_sight;

static inline bool sr_sight_is_empty(const sr_sight *sight) {
  return sight->run[SR_SIGHT_SINKS].lo == sight->run[SR_SIGHT_SINKS].hi &&
         sight->run[SR_SIGHT_WINDOW].lo == sight->run[SR_SIGHT_WINDOW].hi;
}

/* The first run that a query may have keys in. */
static inline int sr_mask_first_run(const sr_mask *mask) {
  return mask->sinks > 0 && mask->window_left >= 0 ? SR_SIGHT_SINKS : SR_SIGHT_WINDOW;
}

/* Position of query 0, with SR_Q_START_END resolved. */
int64_t sr_mask_q_start(const sr_mask *mask, int64_t q_len, int64_t kv_len);

/* What the query at a position sees of kv_len keys. The mask's q_start plays no part. */
sr_sight sr_mask_sees(const sr_mask *mask, int64_t position, int64_t kv_len);

/* What some query at positions [first, first + count) sees. */
sr_sight sr_mask_union(const sr_mask *mask, int64_t first, int64_t count, int64_t kv_len);

/* Visible (query, key) pairs of the queries at positions [first, first + count) and the keys of one span of the kv_len
 * that there are. A double: counts may pass 2^63; exact below 2^53. Positions and windows are below 2^60. */
double sr_mask_pairs(const sr_mask *mask, int64_t first, int64_t count, int64_t kv_len, sr_span keys);

#endif
