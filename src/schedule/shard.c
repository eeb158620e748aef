#include "shard.h"

#include "segment.h"

/* Where run i of n equal runs of `of` units starts; the first `of % n` runs are one unit longer. No product overflows.
 */
static int64_t run_start(int64_t of, int64_t n, int64_t i) {
  int64_t longer = of % n;
  return of / n * i + (i < longer ? i : longer);
}

/* Appends tokens [from, to) to a shard, joined to its last span where they touch. */
static void append(sr_shard *shard, int64_t from, int64_t to) {
  if (from >= to) return;
  sr_span *last = shard->n ? &shard->span[shard->n - 1] : NULL;
  if (last && last->start + last->count == from)
    last->count += to - from;
  else
    shard->span[shard->n++] = (sr_span){from, to - from};
}

/* Cuts len tokens, in units that are never split. */
static sr_shard cut(int64_t len, int64_t unit, int ranks, int rank, bool zigzag) {
  int64_t units = len / unit + (len % unit != 0);
  int64_t runs = zigzag ? 2 * (int64_t)ranks : ranks;
  int64_t mine[2] = {rank, runs - 1 - rank};
  sr_shard shard = {0};
  for (int i = 0; i < (zigzag ? 2 : 1); i++) {
    int64_t from = run_start(units, runs, mine[i]) * unit, to = run_start(units, runs, mine[i] + 1) * unit;
    append(&shard, from, to < len ? to : len);
  }
  return shard;
}

sr_shard sr_shard_queries(int64_t q_len, int ranks, int rank, bool zigzag) {
  return cut(q_len, 1, ranks, rank, zigzag);
}

sr_shard sr_shard_keys(int64_t kv_len, int ranks, int rank, bool zigzag) {
  return cut(kv_len, SR_SEGMENT, ranks, rank, zigzag);
}

int64_t sr_shard_count(const sr_shard *shard) {
  int64_t count = 0;
  for (int i = 0; i < shard->n; i++) count += shard->span[i].count;
  return count;
}

int64_t sr_shard_segments(const sr_shard *shard) {
  int64_t n = 0;
  for (int i = 0; i < shard->n; i++) n += sr_segments(shard->span[i].count);
  return n;
}

sr_span sr_shard_segment(const sr_shard *shard, int64_t i) {
  for (int s = 0; s < shard->n; s++) {
    sr_span span = shard->span[s];
    int64_t n = sr_segments(span.count), at = i * SR_SEGMENT;
    if (i < n) return (sr_span){span.start + at, i == n - 1 ? span.count - at : SR_SEGMENT};
    i -= n;
  }
  return (sr_span){0, 0};
}
