/* Heads dealt to the ranks of a group, each of which then has all tokens of the group for its heads. */
#ifndef SR_SCHEDULE_HEADS_H
#define SR_SCHEDULE_HEADS_H

#include <stdbool.h>
#include <stdint.h>

/* Consecutive heads. The query heads are those of the KV heads: all of them, or, of a single KV head, some. */
typedef struct sr_heads {
  int64_t q_first, q_count;
  int64_t kv_first, kv_count;
  bool counts_kv; /* the first of the parts that have its KV heads: it counts what is odd in them */
} sr_heads;

/* Part i of `parts`, 1 to q_heads of them. Up to kv_heads parts get whole KV heads with their query heads; of more
 * parts, several have the same KV head, and share its query heads. */
sr_heads sr_heads_part(int64_t q_heads, int64_t kv_heads, int64_t parts, int64_t i);

#endif
