#include "worker.h"

#include "base/memory.h"

/* A state of its own is for tiles that keep none. */
static bool has_own(const sr_decision *d) {
  return d->head_kept < d->head_tiles;
}

/* The memory of a task. */
typedef struct pieces {
  void *partial[SR_PARTIALS];
  void *accumulator; /* of its own state, as what follows */
  char *queries;
  double *query_norm;
} pieces;

static pieces lay_pieces(const sr_decision *d, sr_layout *layout) {
  pieces p = {0};
  for (int i = 0; i < SR_PARTIALS; i++)
    p.partial[i] = sr_layout_take(layout, sr_partial_bytes(d->kernel, (int32_t)d->opt.value_dim));
  if (!has_own(d)) return p;
  p.accumulator = sr_layout_take(layout, d->acc_bytes);
  p.queries = sr_layout_take(layout, d->tile_bytes * (uint64_t)d->sets);
  p.query_norm = sr_layout_take(layout, sr_query_norm_bytes(d) * (uint64_t)d->sets);
  return p;
}

static void point_task(const sr_decision *d, const pieces *p, sr_task *task) {
  const int32_t value_dim = (int32_t)d->opt.value_dim;
  for (int i = 0; i < SR_PARTIALS; i++) task->partial[i] = sr_partial_at(d->kernel, p->partial[i]);
  if (has_own(d))
    task->own = sr_state_at(d, p->queries, p->query_norm, 1, sr_accumulator_at(d->kernel, value_dim, p->accumulator));
}

/* What a chunk's keys, or values, take as the kernel arranges them. */
static void *lay_arranged(const sr_decision *d, uint64_t bytes_each, sr_layout *layout) {
  return d->kernel->arrange ? sr_layout_take(layout, (uint64_t)d->chunk * bytes_each) : NULL;
}

static sr_worker lay_worker(const sr_decision *d, sr_layout *layout) {
  sr_worker w = {.scratch = sr_layout_take(layout, d->kernel->scratch_bytes)};
  void *accumulator = sr_layout_take(layout, d->acc_bytes);
  w.k = lay_arranged(d, sr_key_bytes(d->kernel, d->opt.head_dim), layout);
  w.v = lay_arranged(d, sr_value_bytes(d->kernel, d->opt.value_dim), layout);
  w.task = sr_layout_take(layout, (uint64_t)d->batch * sizeof(sr_task));
  if (accumulator) w.accumulator = sr_accumulator_at(d->kernel, (int32_t)d->opt.value_dim, accumulator);
  for (int64_t i = 0; i < d->batch; i++) {
    const pieces p = lay_pieces(d, layout);
    if (w.task) point_task(d, &p, &w.task[i]);
  }
  return w;
}

uint64_t sr_worker_bytes(const sr_decision *d) {
  sr_layout layout = {0};
  lay_worker(d, &layout);
  return layout.used;
}

sr_worker sr_worker_at(const sr_decision *d, void *memory) {
  return lay_worker(d, &(sr_layout){.memory = memory});
}
