/* Which keys a query may see, by absolute positions.
 *
 * Key j stands at position j, query i at i + q_start. A query at position p sees key j when
 *
 *   (not causal       or  j <= p)                  and
 *   (window_left < 0  or  j >= p - window_left)    and
 *   (window_right < 0 or  j <= p + window_right)
 *
 * A query that sees no key gets o = 0 and lse = -inf.
 */
#ifndef SEQRING_MASK_H
#define SEQRING_MASK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sr_mask {
  bool causal;
  int64_t window_left;  /* keys to the left of the query's position, -1: unlimited */
  int64_t window_right; /* keys to the right of it, -1: unlimited */
  int64_t q_start;      /* position of query 0, or SR_Q_START_END */
} sr_mask;

/* Aligns the last query with the last key: q_start = kv_len - q_len. */
#define SR_Q_START_END INT64_MIN

#endif
