#include "worker.h"

#include "base/memory.h"

static uint64_t scratch_bytes(const sr_decision *d) {
  return sr_align_up(d->kernel->scratch_bytes((int32_t)d->opt.head_dim, (int32_t)d->opt.value_dim));
}

uint64_t sr_worker_bytes(const sr_decision *d) {
  uint64_t partial = sr_partial_bytes(d->kernel, (int32_t)d->opt.value_dim);
  return scratch_bytes(d) + (uint64_t)d->batch * partial + sr_align_up((uint64_t)d->batch * sizeof(sr_task));
}

sr_worker sr_worker_at(const sr_decision *d, void *memory) {
  uint64_t partial = sr_partial_bytes(d->kernel, (int32_t)d->opt.value_dim);
  char *at = memory;
  sr_worker w = {.scratch = at};
  at += scratch_bytes(d);
  w.task = (sr_task *)(void *)(at + (uint64_t)d->batch * partial);
  for (int64_t i = 0; i < d->batch; i++) w.task[i].partial = sr_partial_at(d->kernel, at + (uint64_t)i * partial);
  return w;
}
