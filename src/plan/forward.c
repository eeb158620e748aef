/* One pass round the ring. */
#include <omp.h>

#include "base/clock.h"
#include "base/error.h"
#include "block.h"
#include "comm/comm.h"
#include "plan.h"
#include "schedule/ring.h"
#include "schedule/segment.h"

/* Tiles that one thread takes at a time: they share each segment's trip through the cache. */
enum { BATCH = 8 };

/* One step as its threads see it. */
typedef struct step {
  sr_plan *plan;
  sr_shard shard; /* in use */
  char *block;
  int64_t *done;    /* row-key pairs folded so far, over all steps */
  sr_status status; /* of MPI; written by the master thread only */
} step;

/* What the rows of a tile see, by absolute positions. Lanes without a row see what the last row sees. */
static void tile_ranges(const sr_plan *plan, int64_t tile, sr_range *range) {
  const sr_decision *d = &plan->d;
  sr_tile_rows t = sr_plan_tile(plan, tile);
  for (int64_t lane = 0; lane < d->kernel->tile; lane++) {
    int64_t row = t.first_row + (lane < t.rows ? lane : t.rows - 1);
    range[lane] = sr_mask_range(&d->opt.mask, t.position + row / d->group, d->opt.kv_len);
  }
}

static int32_t clip(int64_t key, sr_span keys) {
  int64_t at = key - keys.start;
  return (int32_t)(at < 0 ? 0 : at > keys.count ? keys.count : at);
}

/* Folds one segment into one tile, unless no row sees any of it. */
static void fold_segment(const step *s, const sr_segment *segment, int64_t tile, const sr_range *range,
                         const sr_partial *partial) {
  const sr_decision *d = &s->plan->d;
  int32_t lo[SR_MAX_TILE], hi[SR_MAX_TILE], value_dim = (int32_t)d->opt.value_dim;
  int64_t pairs = 0, rows = sr_plan_tile(s->plan, tile).rows;
  for (int lane = 0; lane < d->kernel->tile; lane++) {
    lo[lane] = clip(range[lane].lo, segment->keys);
    hi[lane] = clip(range[lane].hi, segment->keys);
    if (lane < rows) pairs += hi[lane] - lo[lane];
  }
  if (pairs == 0) return;
  int64_t head = tile / d->head_tiles, bit = segment->keys.start / SR_SEGMENT;
  sr_tile t = {.q = s->plan->queries + (uint64_t)tile * d->tile_bytes,
               .k = sr_block_k(d, segment, head, s->block),
               .v = sr_block_v(d, segment, head, s->block),
               .head_dim = (int32_t)d->opt.head_dim,
               .value_dim = value_dim,
               .lo = lo,
               .hi = hi,
               .finite = !(s->plan->special[bit / 8] >> bit % 8 & 1)};
  d->kernel->segment(&t, partial);
  sr_accumulator acc = sr_accumulator_at(d->kernel, value_dim, s->plan->accumulators + (uint64_t)tile * d->acc_bytes);
  d->kernel->fold(partial, value_dim, &acc);
#pragma omp atomic
  *s->done += pairs;
}

/* Between tiles the master thread, which alone may call MPI, drives the transfer and tells the caller how far it is. */
static void look_up(step *s) {
  if (omp_get_thread_num() != 0) return;
  const sr_decision *d = &s->plan->d;
  if (s->status == SR_OK) s->status = sr_transfer_poll(s->plan->transfer);
  if (!d->opt.progress) return;
  int64_t done;
#pragma omp atomic read
  done = *s->done;
  double total = d->rank_pairs * (double)d->opt.q_heads;
  d->opt.progress(d->opt.progress_data, done, total < 0x1p62 ? (int64_t)total : INT64_C(1) << 62);
}

static void fold_batch(step *s, int64_t first, int64_t count, const sr_partial *partial) {
  sr_range range[BATCH][SR_MAX_TILE];
  int64_t segments = sr_shard_segments(&s->shard);
  for (int64_t i = 0; i < count; i++) tile_ranges(s->plan, first + i, range[i]);
  for (int64_t i = 0; i < segments; i++) {
    sr_segment segment = sr_block_segment(&s->plan->d, &s->shard, i);
    for (int64_t t = 0; t < count; t++) {
      fold_segment(s, &segment, first + t, range[t], partial);
      look_up(s);
    }
  }
}

/* Folds the shard in use into all tiles of this rank. Batches do not straddle heads; the last ones come first, since
 * they are the longest under a causal mask. */
static sr_status fold_shard(step *s) {
  const sr_decision *d = &s->plan->d;
  const int64_t per_head = (d->head_tiles + BATCH - 1) / BATCH, batches = per_head * d->opt.kv_heads;
#pragma omp parallel num_threads(d->threads)
  {
    sr_partial partial = sr_scratch_at(d->kernel, s->plan->scratch + (uint64_t)omp_get_thread_num() * d->scratch_bytes);
#pragma omp for schedule(dynamic, 1)
    for (int64_t b = 0; b < batches; b++) {
      int64_t head = b % d->opt.kv_heads, in_head = (per_head - 1 - b / d->opt.kv_heads) * BATCH;
      int64_t left = d->head_tiles - in_head;
      fold_batch(s, head * d->head_tiles + in_head, left < BATCH ? left : BATCH, &partial);
    }
  }
  return s->status;
}

static sr_status wait_for_block(sr_plan *plan) {
  double start = sr_now();
  sr_status status = sr_transfer_wait(plan->transfer);
  plan->stats.wait_s += sr_now() - start;
  return status;
}

static sr_status go_round(sr_plan *plan) {
  const sr_decision *d = &plan->d;
  int64_t done = 0;
  for (int i = 0; i < d->ranks; i++) {
    sr_ring_step ring = sr_ring(d->ranks, d->rank, i);
    step s = {.plan = plan, .shard = sr_decision_kv(d, ring.owner), .block = plan->block[i % 2], .done = &done};
    if (ring.exchange) {
      uint64_t bytes = sr_block_bytes(d, &s.shard);
      SR_TRY(sr_transfer_start(plan->transfer, plan->block[(i + 1) % 2], sr_decision_kv_bytes(d, ring.next_owner),
                               ring.recv_from, s.block, bytes, ring.send_to));
      plan->stats.sent_bytes += bytes;
    }
    SR_TRY(fold_shard(&s));
    if (ring.exchange) SR_TRY(wait_for_block(plan));
  }
  return SR_OK;
}

static sr_status refuse_nonfinite(const sr_plan *plan) {
  if (!plan->d.opt.refuse_nonfinite || plan->stats.nonfinite == 0) return SR_OK;
  return sr_fail(SR_ERR_NONFINITE, "%lld visible elements of q, k and v are NaN or Inf",
                 (long long)plan->stats.nonfinite);
}

sr_status sr_plan_forward(sr_plan *plan, const sr_tensors *tensors) {
  double start = sr_now();
  plan->stats = (sr_plan_stats){0};
  SR_TRY(sr_agree(plan->comm, sr_plan_check_tensors(plan, tensors)));
  plan->stats.nonfinite = sr_plan_pack(plan, tensors);
  SR_TRY(sr_comm_sum_i64(plan->comm, &plan->stats.nonfinite, 1));
  SR_TRY(sr_comm_or(plan->comm, plan->special, (uint64_t)(plan->d.segments + 7) / 8));
  SR_TRY(refuse_nonfinite(plan));
  SR_TRY(go_round(plan));
  sr_plan_unpack(plan, tensors);
  plan->stats.attention_s = sr_now() - start;
  return SR_OK;
}
