/* Batches: every tile of every head in one of them, in either order. */
#include "plan/batch.h"

#include <string.h>

#include "suite.h"

enum { MOST_TILES = 200, MOST_HEADS = 5 };

/* Tiles that are dealt once are marked; a batch is of one head and no larger than may be. */
static void mark(const sr_batch *batch, int64_t n, int64_t head_tiles, int64_t most, char *marks) {
  for (int64_t i = 0; i < n; i++) {
    CU_ASSERT(batch[i].count >= 1 && batch[i].count <= most);
    CU_ASSERT(batch[i].first / head_tiles == (batch[i].first + batch[i].count - 1) / head_tiles);
    for (int64_t tile = 0; tile < batch[i].count; tile++) marks[batch[i].first + tile]++;
  }
}

static void every_tile_is_dealt_once(void) {
  static sr_batch batch[MOST_TILES * MOST_HEADS];
  uint64_t random = 7;
  for (int run = 0; run < 2000; run++) {
    const int64_t tiles = random_int(&random, 1, MOST_TILES), heads = random_int(&random, 1, MOST_HEADS);
    const int64_t most = random_int(&random, 1, 20);
    const int threads = (int)random_int(&random, 1, 40);
    const sr_batch_order order = run % 2 ? SR_BATCH_FIRST_FIRST : SR_BATCH_LAST_FIRST;
    char marks[MOST_TILES * MOST_HEADS] = {0}, ones[MOST_TILES * MOST_HEADS];
    const int64_t n = sr_batches(tiles, heads, most, threads, order, batch);
    CU_ASSERT_EQUAL(n, sr_batches(tiles, heads, most, threads, order, NULL));
    mark(batch, n, tiles, most, marks);
    memset(ones, 1, sizeof ones);
    CU_ASSERT(memcmp(marks, ones, (size_t)(tiles * heads)) == 0);
  }
}

/* Of one head, from one end to the other, and never larger than the one before. */
static void batches_come_in_order(void) {
  sr_batch batch[MOST_TILES];
  for (int threads = 1; threads <= 8; threads++)
    for (int order = SR_BATCH_LAST_FIRST; order <= SR_BATCH_FIRST_FIRST; order++) {
      const int64_t n = sr_batches(MOST_TILES, 1, 16, threads, (sr_batch_order)order, batch);
      for (int64_t i = 1; i < n; i++) {
        const sr_batch *low = &batch[order == SR_BATCH_FIRST_FIRST ? i - 1 : i];
        const sr_batch *high = &batch[order == SR_BATCH_FIRST_FIRST ? i : i - 1];
        CU_ASSERT_EQUAL(low->first + low->count, high->first);
        CU_ASSERT(batch[i].count <= batch[i - 1].count);
      }
    }
}

int main(void) {
  return run_suite(
      "batch",
      (const test_case[]){{"every tile once", every_tile_is_dealt_once}, {"in order", batches_come_in_order}, {0}});
}
