/* How a rank's tiles are dealt to its threads. */
#ifndef SR_PLAN_BATCH_H
#define SR_PLAN_BATCH_H

#include <stdint.h>

/* Tiles that one thread takes at a time, consecutive ones of one KV head: they share the trip of each piece of keys and
 * values through the cache. */
typedef struct sr_batch {
  int64_t first, count;
} sr_batch;

/* Deals head_tiles tiles of each of `heads` heads in batches of at most `most`. The last tiles of the heads come first,
 * since they are the longest under a causal mask; batches become smaller towards the end, so that no thread is left
 * with a long one when the others are done. Returns the number of batches; batch may be NULL. */
int64_t sr_batches(int64_t head_tiles, int64_t heads, int64_t most, int threads, sr_batch *batch);

#endif
