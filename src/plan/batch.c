#include "batch.h"

/* Batches that each thread can still expect when a batch is cut: more of them mean a shorter tail and smaller batches.
 */
enum { SHARE = 3 };

int64_t sr_batches(int64_t head_tiles, int64_t heads, int64_t most, int threads, sr_batch_order order,
                   sr_batch *batch) {
  int64_t n = 0;
  for (int64_t left = head_tiles; left > 0;) {
    int64_t count = threads > 1 ? left * heads / (threads * SHARE) : most;
    if (count > most) count = most;
    if (count > left) count = left;
    if (count < 1) count = 1;
    const int64_t first = order == SR_BATCH_FIRST_FIRST ? head_tiles - left : left - count;
    left -= count;
    for (int64_t head = 0; head < heads; head++, n++)
      if (batch) batch[n] = (sr_batch){.first = head * head_tiles + first, .count = count};
  }
  return n;
}
