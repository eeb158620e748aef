/* How a rank's tiles are dealt to its threads. */
#ifndef SR_PLAN_BATCH_H
#define SR_PLAN_BATCH_H

#include <stdint.h>

/* Tiles that one thread takes at a time, consecutive ones of one KV head: they share the trip of each piece of keys and
 * values through the cache. */
typedef struct sr_batch {
  int64_t first, count;
} sr_batch;

/* Which tiles of the heads come first: the last ones, which are the longest under a causal mask; or, where windows move
 * along, the first ones, so that a batch begins with keys that its head's batch before met last. */
typedef enum sr_batch_order { SR_BATCH_LAST_FIRST, SR_BATCH_FIRST_FIRST } sr_batch_order;

/* Deals head_tiles tiles of each of `heads` heads in batches of at most `most`, which become smaller towards the end,
 * so that no thread is left with a long one when the others are done. Returns the number of batches; batch may be NULL.
 */
int64_t sr_batches(int64_t head_tiles, int64_t heads, int64_t most, int threads, sr_batch_order order, sr_batch *batch);

#endif
