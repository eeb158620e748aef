#include "fold.h"

#include <math.h>
#include <omp.h>

#include "pack.h"
#include "schedule/segment.h"
#include "stay.h"
#include "worker.h"

/* What no run has widened yet. */
static const sr_range nothing = {INT64_MAX, 0};

/* And what none has narrowed. */
static const sr_range everything = {0, INT64_MAX};

/* Keys that all of several runs have. */
static void narrow(sr_range *common, sr_range run) {
  if (run.lo > common->lo) common->lo = run.lo;
  if (run.hi < common->hi) common->hi = run.hi;
}

/* Keys from the first to the last of several runs. */
static void widen(sr_range *reach, sr_range run) {
  if (run.lo == run.hi) return;
  if (run.lo < reach->lo) reach->lo = run.lo;
  if (run.hi > reach->hi) reach->hi = run.hi;
}

/* Fills in where a tile's state is, which begins with the first step that it has to do with. */
static void set_state(const sr_fold *s, const sr_stay *stay, sr_task *task) {
  const sr_decision *d = &s->plan->d;
  const bool keeps = stay->step < 0, opens = !keeps || s->step == 0;
  task->closes = !keeps || s->step == d->schedule.n_steps - 1;
  task->written = false;
  task->state = keeps ? sr_plan_kept(s->plan, task->number) : task->own;
  if (!keeps) {
    const int64_t nonfinite = sr_pack_tile(s->plan, task->number, s->tensors, &task->state);
    if (nonfinite > 0)
#pragma omp atomic
      s->plan->stats.nonfinite += nonfinite;
  }
  if (opens) sr_accumulator_begin(d->kernel, &task->state.accumulator);
}

/* Fills in what stays the same for a tile through all segments. */
static void set_task(const sr_fold *s, int64_t tile, sr_task *task) {
  const sr_decision *d = &s->plan->d;
  const sr_stay stay = sr_stay_of(d, tile);
  const sr_tile_rows t = sr_decision_tile(d, tile);
  for (int run = 0; run < SR_SIGHT_RUNS; run++) task->reach.run[run] = nothing, task->common.run[run] = everything;
  task->number = tile;
  task->rows = t.rows;
  task->closes = false;
  task->pending = 0;
  if (!sr_stay_has(&stay, s->step)) return;
  set_state(s, &stay, task);
  task->tile.scale = d->scale * M_LOG2E;
  task->tile.head_dim = (int32_t)d->opt.head_dim;
  task->tile.value_dim = (int32_t)d->opt.value_dim;
  task->tile.has_slopes = d->opt.slopes != NULL;
  sr_row row = sr_decision_first_row(d, &t);
  for (int64_t lane = 0; lane < d->kernel->tile; lane++) {
    const sr_sight sees = sr_mask_sees(&d->opt.mask, t.position + row.query, d->opt.kv_len);
    for (int run = 0; run < SR_SIGHT_RUNS; run++) {
      widen(&task->reach.run[run], sees.run[run]);
      narrow(&task->common.run[run], sees.run[run]);
    }
    task->sees[lane] = sees;
    task->position[lane] = t.position + row.query;
    task->tile.slope[lane] = sr_decision_slope(d, t.head * d->work.group + row.head);
    if (lane + 1 < t.rows) row = sr_decision_next_row(d, row);
  }
}

static bool meets(sr_range reach, sr_span keys) {
  return reach.lo < keys.start + keys.count && reach.hi > keys.start;
}

/* Keys of a segment, and their values, as packed for one KV head. */
typedef struct key_chunk {
  int run; /* of the mask, whose keys are met */
  sr_span segment;
  const char *k, *v; /* of the segment's first key */
  double norm;       /* key_norm of the plan */
  sr_keys keys;
} key_chunk;

/* Segment i of the block up to the last key in reach, whole key blocks; no keys where there is no such segment or
 * nothing of it is in reach. */
static key_chunk keys_in_reach(const sr_fold *s, int64_t i, int64_t head, int run, sr_range reach) {
  const sr_decision *d = &s->plan->d;
  if (i >= s->block->n) return (key_chunk){0};
  const sr_segment at = sr_block_segment(&d->shape, s->block, i);
  const int64_t block = d->kernel->key_block, seen = (reach.hi - at.keys.start + block - 1) / block * block;
  key_chunk all = {.run = run,
                   .segment = at.keys,
                   .k = sr_block_k(&d->shape, &at, head, s->memory),
                   .v = sr_block_v(&d->shape, &at, head, s->memory),
                   .norm = sr_plan_key_norm(s->plan, at.keys.start)[head]};
  if (meets(reach, at.keys)) all.keys.hi = (int32_t)(seen < at.padded ? seen : at.padded);
  return all;
}

/* Of these, the chunk that starts at a key; it may be empty. */
static key_chunk chunk_of(const sr_fold *s, key_chunk of, int32_t first) {
  const int32_t end = first + s->plan->d.chunk;
  of.keys = (sr_keys){first, end < of.keys.hi ? end : of.keys.hi};
  return of;
}

/* Fills in what a tile's rows see of a segment; false when that is nothing. */
static bool see_segment(const sr_fold *s, const key_chunk *at, sr_task *task) {
  sr_tile *t = &task->tile;
  const sr_span keys = at->segment;
  const sr_range common = task->common.run[at->run];
  const int tile = s->plan->d.kernel->tile;
  if (common.lo <= keys.start && common.hi >= keys.start + keys.count) {
    t->some = t->all = (sr_keys){0, (int32_t)keys.count};
    for (int lane = 0; lane < tile; lane++) t->lo[lane] = 0, t->hi[lane] = (int32_t)keys.count;
    task->pairs = task->rows * keys.count;
    return true;
  }
  task->pairs = 0;
  for (int lane = 0; lane < tile; lane++) {
    const sr_keys seen = sr_block_sees(keys, task->sees[lane].run[at->run]);
    t->lo[lane] = seen.lo;
    t->hi[lane] = seen.hi;
    if (lane < task->rows) task->pairs += seen.hi - seen.lo;
  }
  return sr_tile_extent(s->plan->d.kernel, t);
}

/* Points a task at a segment. */
static void enter_segment(const sr_fold *s, const key_chunk *at, sr_task *task) {
  const int tile = s->plan->d.kernel->tile;
  sr_tile *t = &task->tile;
  task->active = meets(task->reach.run[at->run], at->segment) && see_segment(s, at, task);
  if (!task->active) return;
  const double *norm = task->state.query_norm[at->run];
  for (int lane = 0; lane < tile; lane++) {
    t->bound[lane] = t->has_slopes ? (double)INFINITY : norm[lane] * at->norm * SR_ROUNDED_UP;
    t->place[lane] = (double)(task->position[lane] - at->segment.start);
  }
  t->q = task->state.queries[at->run];
  t->k = at->k;
  t->v = at->v;
  t->first_key = 0;
  t->finite = isfinite(at->norm) != 0; /* or huge, or tiny: that it may be taken for NaN only takes longer */
  s->plan->d.kernel->begin(&task->partial[task->pending], t->value_dim, t->bound);
}

/* Between tiles the master thread, which alone may call MPI, drives the transfer and tells the caller how far it is. */
static void look_up(sr_fold *s) {
  if (s->status == SR_OK) s->status = sr_transfer_poll(s->transfer);
  sr_plan_progress(s->plan, s->done);
}

/* Part i of n equal parts of what keys take of memory, `row` bytes each. */
static sr_ahead part_of(const char *first, sr_keys keys, uint64_t row, int64_t i, int64_t n) {
  const int64_t bytes = (keys.hi - keys.lo) * (int64_t)row, from = bytes * i / n, to = bytes * (i + 1) / n;
  return bytes > 0 ? (sr_ahead){first + keys.lo * (int64_t)row + from, to - from} : (sr_ahead){0};
}

/* What tile i of n asks for while it meets a chunk: its part of the next one and, where that is used next, its
 * accumulator. */
static void look_ahead(const sr_decision *d, const key_chunk *next, bool accumulates, int64_t i, int64_t n,
                       sr_task *task) {
  sr_ahead *ahead = task->tile.ahead;
  ahead[0] = part_of(next->k, next->keys, sr_key_bytes(d->kernel, d->opt.head_dim), i, n);
  ahead[1] = part_of(next->v, next->keys, sr_value_bytes(d->kernel, d->opt.value_dim), i, n);
  ahead[2] = accumulates ? (sr_ahead){(const char *)task->state.accumulator.e, (int64_t)d->acc_bytes} : (sr_ahead){0};
}

/* Adds what a tile has of segments that are met to its accumulator. */
static void fold_tile(const sr_decision *d, sr_task *task) {
  if (task->pending > 0) d->kernel->fold(task->partial, task->pending, task->tile.value_dim, &task->state.accumulator);
  task->pending = 0;
}

/* Gives a tile that is written behind its next fold the worker's accumulator where that fold is its first one, too.
 * Returns whether it is. */
static bool borrow_accumulator(const sr_decision *d, const sr_worker *w, sr_task *task) {
  if (!sr_accumulator_is_new(&task->state.accumulator)) return false;
  task->state.accumulator = w->accumulator;
  sr_accumulator_begin(d->kernel, &w->accumulator);
  return true;
}

/* Writes the output of a tile that is done. */
static void write_tile(const sr_fold *s, sr_task *task) {
  sr_unpack_tile(s->plan, task->number, task->sees, task->state.accumulator, s->tensors);
  task->written = true;
}

/* Whether nothing in a tile's reach is still to be met behind a chunk. */
static bool ends_at(const sr_task *task, const key_chunk *at) {
  return at->run == SR_SIGHT_RUNS - 1 && task->reach.run[at->run].hi <= at->segment.start + at->segment.count;
}

static bool meets_chunk(const sr_task *task, sr_keys keys) {
  return task->active && task->tile.some.hi > keys.lo && task->tile.some.lo < keys.hi;
}

/* Of a chunk's keys, whole key blocks that some tile of a batch sees. */
static sr_keys seen_keys(const sr_decision *d, const sr_worker *w, int64_t count, sr_keys keys) {
  const int32_t block = d->kernel->key_block;
  sr_keys some = {keys.hi, keys.lo};
  for (int64_t i = 0; i < count; i++) {
    const sr_keys seen = w->task[i].tile.some;
    if (!meets_chunk(&w->task[i], keys)) continue;
    if (seen.lo < some.lo) some.lo = seen.lo;
    if (seen.hi > some.hi) some.hi = seen.hi;
  }
  some.lo = some.lo > keys.lo ? some.lo / block * block : keys.lo;
  some.hi = some.hi < keys.hi ? (some.hi + block - 1) / block * block : keys.hi;
  return some;
}

/* Arranges what the tiles of a batch see of a chunk, one tile at least, once for all of them. */
static void arrange_chunk(const sr_decision *d, const sr_worker *w, int64_t count, const key_chunk *at, sr_keys keys) {
  const sr_keys seen = seen_keys(d, w, count, keys);
  const uint64_t key = sr_key_bytes(d->kernel, d->opt.head_dim), value = sr_value_bytes(d->kernel, d->opt.value_dim);
  d->kernel->arrange(at->k + (uint64_t)seen.lo * key, at->v + (uint64_t)seen.lo * value, (int32_t)d->opt.head_dim,
                     (int32_t)d->opt.value_dim, seen.hi - seen.lo, w->k, w->v);
  for (int64_t i = 0; i < count; i++) {
    sr_tile *t = &w->task[i].tile;
    t->k = w->k, t->v = w->v, t->first_key = seen.lo;
  }
}

/* All tiles of a batch meet a chunk of keys before any meets the next. Each is folded every few segments, and written
 * where that was the last one in its reach, while it is in the cache. `following` is met after it. Returns the pairs of
 * a row and a key. */
static int64_t meet_chunks(sr_fold *s, const sr_worker *w, int64_t count, const key_chunk *at,
                           const key_chunk *following) {
  const sr_decision *d = &s->plan->d;
  int64_t pairs = 0;
  for (int32_t key = 0; key < at->keys.hi; key += d->chunk) {
    const sr_keys keys = {key, key + d->chunk};
    const key_chunk next = keys.hi < at->keys.hi ? chunk_of(s, *at, keys.hi) : chunk_of(s, *following, 0);
    int64_t tiles = 0, part = 0;
    for (int64_t i = 0; i < count; i++) tiles += meets_chunk(&w->task[i], keys);
    if (tiles > 0 && d->kernel->arrange) arrange_chunk(d, w, count, at, keys);
    for (int64_t i = 0; i < count; i++) {
      sr_task *task = &w->task[i];
      if (!meets_chunk(task, keys)) continue;
      const bool ends = task->tile.some.hi <= keys.hi;
      const bool last = ends && ends_at(task, at), folds = last || (ends && task->pending + 1 == SR_PARTIALS);
      const bool writes = last && task->closes, borrows = writes && borrow_accumulator(d, w, task);
      look_ahead(d, &next, folds && !borrows, part++, tiles, task);
      d->kernel->meet(&task->tile, keys, &task->partial[task->pending], w->scratch);
      if (!ends) continue;
      task->pending++;
      if (folds) fold_tile(d, task);
      pairs += task->pairs;
      if (writes) write_tile(s, task);
    }
    if (omp_get_thread_num() == 0) look_up(s);
  }
  return pairs;
}

/* A run of all tiles of a batch. */
static void fold_run(sr_fold *s, sr_batch batch, int run, const sr_worker *w) {
  const sr_decision *d = &s->plan->d;
  const int64_t head = batch.first / d->head_tiles;
  sr_range reach = nothing;
  for (int64_t i = 0; i < batch.count; i++) widen(&reach, w->task[i].reach.run[run]);
  for (int64_t j = 0; j < s->block->n; j++) {
    const key_chunk at = keys_in_reach(s, j, head, run, reach), following = keys_in_reach(s, j + 1, head, run, reach);
    if (at.keys.hi == 0) continue;
    for (int64_t i = 0; i < batch.count; i++) enter_segment(s, &at, &w->task[i]);
    int64_t pairs = meet_chunks(s, w, batch.count, &at, &following);
#pragma omp atomic
    *s->done += pairs;
  }
  for (int64_t i = 0; i < batch.count; i++) fold_tile(d, &w->task[i]);
}

static void fold_batch(sr_fold *s, sr_batch batch, const sr_worker *w) {
  const sr_decision *d = &s->plan->d;
  for (int64_t i = 0; i < batch.count; i++) set_task(s, batch.first + i, &w->task[i]);
  for (int run = sr_mask_first_run(&d->opt.mask); run < SR_SIGHT_RUNS; run++) fold_run(s, batch, run, w);
  for (int64_t i = 0; i < batch.count; i++)
    if (w->task[i].closes && !w->task[i].written) write_tile(s, &w->task[i]);
}

sr_status sr_fold_block(sr_fold *s) {
  const sr_decision *d = &s->plan->d;
#pragma omp parallel num_threads(d->threads)
  {
    sr_worker w = sr_worker_at(d, s->plan->workspace.workers + (uint64_t)omp_get_thread_num() * d->worker_bytes);
#pragma omp for schedule(dynamic, 1)
    for (int64_t b = 0; b < d->n_batches; b++) fold_batch(s, s->plan->workspace.batches[b], &w);
  }
  look_up(s);
  return s->status;
}
