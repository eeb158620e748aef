#include "worker.h"

#include "base/memory.h"

static uint64_t scratch_bytes(const sr_decision *d) {
  return sr_align_up(d->kernel->scratch_bytes);
}

/* Of a chunk's keys, and values, where the kernel arranges them. */
static uint64_t keys_bytes(const sr_decision *d) {
  return d->kernel->arrange ? sr_align_up((uint64_t)d->chunk * sr_key_bytes(d->kernel, d->opt.head_dim)) : 0;
}

static uint64_t values_bytes(const sr_decision *d) {
  return d->kernel->arrange ? sr_align_up((uint64_t)d->chunk * sr_value_bytes(d->kernel, d->opt.value_dim)) : 0;
}

/* A state of its own is for tiles that keep none. */
static bool has_own(const sr_decision *d) {
  return d->head_kept < d->head_tiles;
}

static uint64_t task_bytes(const sr_decision *d) {
  const uint64_t partials = SR_PARTIALS * sr_partial_bytes(d->kernel, (int32_t)d->opt.value_dim);
  if (!has_own(d)) return partials;
  return partials + d->acc_bytes + d->tile_bytes * (uint64_t)d->sets +
         sr_align_up(sr_query_norm_bytes(d) * (uint64_t)d->sets);
}

uint64_t sr_worker_bytes(const sr_decision *d) {
  return scratch_bytes(d) + d->acc_bytes + keys_bytes(d) + values_bytes(d) + (uint64_t)d->batch * task_bytes(d) +
         sr_align_up((uint64_t)d->batch * sizeof(sr_task));
}

static void lay_task(const sr_decision *d, char *at, sr_task *task) {
  const int32_t value_dim = (int32_t)d->opt.value_dim;
  for (int i = 0; i < SR_PARTIALS; i++, at += sr_partial_bytes(d->kernel, value_dim))
    task->partial[i] = sr_partial_at(d->kernel, at);
  if (!has_own(d)) return;
  const sr_accumulator accumulator = sr_accumulator_at(d->kernel, value_dim, at);
  at += d->acc_bytes;
  task->own = sr_state_at(d, at, (double *)(void *)(at + d->tile_bytes * (uint64_t)d->sets), 1, accumulator);
}

sr_worker sr_worker_at(const sr_decision *d, void *memory) {
  char *at = memory;
  sr_worker w = {.scratch = at};
  at += scratch_bytes(d);
  w.accumulator = sr_accumulator_at(d->kernel, (int32_t)d->opt.value_dim, at);
  at += d->acc_bytes;
  w.k = at, w.v = at + keys_bytes(d);
  at += keys_bytes(d) + values_bytes(d);
  w.task = (sr_task *)(void *)(at + (uint64_t)d->batch * task_bytes(d));
  for (int64_t i = 0; i < d->batch; i++) lay_task(d, at + (uint64_t)i * task_bytes(d), &w.task[i]);
  return w;
}
