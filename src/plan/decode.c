#include "decode.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/clock.h"
#include "base/convert.h"
#include "base/error.h"
#include "base/memory.h"
#include "block.h"
#include "comm/comm.h"
#include "pack.h"
#include "schedule/segment.h"

/* What a thread works with. */
typedef struct decode_worker {
  void *scratch;
  sr_partial *partial; /* [rows] of all KV heads */
  sr_keys *sees;       /* [rows of a KV head] of the segment at hand */
  double *place;       /* [rows of a KV head] as in sr_few */
  double *slope;       /* [rows] */
} decode_worker;

/* One pass over the keys of this rank. */
typedef struct pass {
  sr_plan *plan;
  const sr_tensors *tensors;
  int64_t done; /* pairs of a row and a key */
} pass;

static int64_t rows_of_head(const sr_decision *d) {
  return d->opt.q_len * d->group;
}

static decode_worker lay_worker(const sr_decision *d, sr_layout *layout) {
  const sr_options *o = &d->opt;
  const int32_t value_dim = (int32_t)o->value_dim;
  const uint64_t rows = (uint64_t)d->tiles, in_head = (uint64_t)rows_of_head(d);
  const uint64_t partial = sr_partial_bytes(d->kernel, value_dim);
  decode_worker w = {.scratch =
                         sr_layout_take(layout, d->kernel->few_scratch_bytes((int32_t)o->kv_heads, (int32_t)in_head,
                                                                             (int32_t)o->head_dim, value_dim))};
  char *partials = sr_layout_take(layout, rows * partial);
  w.partial = sr_layout_take(layout, rows * sizeof *w.partial);
  w.sees = sr_layout_take(layout, in_head * sizeof *w.sees);
  w.place = sr_layout_take(layout, in_head * sizeof *w.place);
  w.slope = sr_layout_take(layout, rows * sizeof *w.slope);
  for (uint64_t r = 0; partials && r < rows; r++) w.partial[r] = sr_partial_at(d->kernel, partials + r * partial);
  return w;
}

uint64_t sr_decode_worker_bytes(const sr_decision *d) {
  sr_layout layout = {0};
  lay_worker(d, &layout);
  return layout.used;
}

uint64_t sr_decode_reduced_bytes(const sr_decision *d) {
  return (uint64_t)d->tiles * (1 + 2 * (1 + (uint64_t)d->opt.value_dim)) * sizeof(double);
}

uint64_t sr_decode_special_bytes(const sr_decision *d) {
  return (uint64_t)(sr_tokens_segments(d->kv) + 7) / 8;
}

static decode_worker worker_at(const sr_decision *d, char *memory) {
  decode_worker w = lay_worker(d, &(sr_layout){.memory = memory});
  for (int64_t r = 0; r < d->tiles; r++)
    w.slope[r] = sr_decision_slope(d, r / rows_of_head(d) * d->group + r % d->group);
  return w;
}

static sr_accumulator accumulator(const sr_plan *plan, int thread, int64_t row) {
  return sr_plan_accumulator(plan, thread * plan->d.tiles + row);
}

/* Calls visit for each (row, local query, query head) of this rank's queries. */
typedef void visit_fn(sr_plan *plan, const sr_tensors *tensors, int64_t row, int64_t query, int64_t local,
                      int64_t head);
static void visit_local_rows(sr_plan *plan, const sr_tensors *tensors, visit_fn *visit) {
  const sr_decision *d = &plan->d;
  int64_t local = 0;
  for (int64_t s = 0; s < d->q.n; s++)
    for (int64_t i = 0; i < d->q.span[s].count; i++, local++)
      for (int64_t head = 0; head < d->opt.q_heads; head++) {
        int64_t query = d->q.span[s].start + i, in_head = query * d->group + head % d->group;
        visit(plan, tensors, head / d->group * rows_of_head(d) + in_head, query, local, head);
      }
}

/* A row's packed query as it meets a run. */
static char *row_queries(const sr_plan *plan, int run, int64_t row) {
  const sr_decision *d = &plan->d;
  return plan->workspace.queries + (uint64_t)(sr_decision_set(d, run) * d->tiles + row) * d->tile_bytes;
}

static void pack_row(sr_plan *plan, const sr_tensors *t, int64_t row, int64_t query, int64_t local, int64_t head) {
  const sr_decision *d = &plan->d;
  uint64_t at = (uint64_t)((local * d->opt.q_heads + head) * d->opt.head_dim);
  (void)query;
  for (int run = SR_SIGHT_RUNS - (int)d->sets; run < SR_SIGHT_RUNS; run++)
    sr_pack_query(d, (const char *)sr_plan_queries(d, t, run) + at * sr_dtype_size(d->opt.dtype),
                  row_queries(plan, run, row));
}

/* Every rank gets all queries: bits that it has not are 0. */
static sr_status share_queries(sr_plan *plan, const sr_tensors *t) {
  const uint64_t bytes = (uint64_t)(plan->d.sets * plan->d.tiles) * plan->d.tile_bytes;
  memset(plan->workspace.queries, 0, bytes);
  visit_local_rows(plan, t, pack_row);
  if (plan->d.ranks == 1) return SR_OK;
  plan->stats.sent_bytes += bytes;
  return sr_comm_or(plan->comm, plan->workspace.queries, bytes);
}

/* What each row of a KV head sees of a segment in a run, and the (row, key) pairs of that. */
static int64_t look(const sr_decision *d, sr_span keys, int run, const decode_worker *w) {
  int64_t pairs = 0;
  for (int64_t query = 0; query < d->opt.q_len; query++) {
    const sr_sight sight = sr_mask_sees(&d->opt.mask, d->q_start + query, d->opt.kv_len);
    const sr_keys seen = sr_block_sees(keys, sight.run[run]);
    for (int64_t i = query * d->group; i < (query + 1) * d->group; i++) {
      w->sees[i] = seen;
      w->place[i] = (double)(d->q_start + query - keys.start);
    }
    pairs += (seen.hi - seen.lo) * d->group;
  }
  return pairs;
}

/* The rows of KV heads first to last - 1 and a segment of this rank's keys, in a run. */
static sr_few few_of(const pass *p, const decode_worker *w, int64_t segment, int run, int64_t first, int64_t last) {
  const sr_decision *d = &p->plan->d;
  const sr_options *o = &d->opt;
  const uint64_t element = sr_dtype_size(o->dtype), key = (uint64_t)(segment * SR_SEGMENT * o->kv_heads + first);
  return (sr_few){.q = row_queries(p->plan, run, first * rows_of_head(d)),
                  .k = (const char *)p->tensors->k + key * (uint64_t)o->head_dim * element,
                  .v = (const char *)p->tensors->v + key * (uint64_t)o->value_dim * element,
                  .dtype = o->dtype,
                  .k_stride = o->kv_heads * o->head_dim,
                  .v_stride = o->kv_heads * o->value_dim,
                  .scale = d->scale * M_LOG2E,
                  .heads = (int32_t)(last - first),
                  .rows = (int32_t)rows_of_head(d),
                  .keys = (int32_t)sr_tokens_segment(d->kv, segment).count,
                  .head_dim = (int32_t)o->head_dim,
                  .value_dim = (int32_t)o->value_dim,
                  .sees = w->sees,
                  .slope = d->opt.slopes ? w->slope + first * rows_of_head(d) : NULL,
                  .place = w->place};
}

static bool all_finite(const sr_decision *d, const sr_partial *partial) {
  double worst = 0;
  for (int64_t i = 0; i < d->opt.value_dim; i++) {
    double o = d->kernel->sums == SR_F64 ? ((const double *)partial->o)[i] : (double)((const float *)partial->o)[i];
    worst += o - o; /* NaN where o is not finite */
  }
  return worst == 0;
}

/* A segment's run and the KV heads first to last - 1. */
static void meet_heads(pass *p, const decode_worker *w, int64_t segment, int run, int64_t first, int64_t last) {
  const sr_decision *d = &p->plan->d;
  const int64_t rows = rows_of_head(d);
  const sr_few few = few_of(p, w, segment, run, first, last);
  bool finite = true;
  for (int64_t r = first * rows; r < last * rows; r++)
    d->kernel->begin(&w->partial[r], (int32_t)d->opt.value_dim, NULL);
  for (int32_t key = 0; key < few.keys; key += d->kernel->key_block)
    finite &= d->kernel->meet_few(&few, key, w->partial + first * rows, w->scratch);
  for (int64_t r = first * rows; r < last * rows; r++) {
    sr_accumulator acc = accumulator(p->plan, omp_get_thread_num(), r);
    d->kernel->fold(&w->partial[r], 1, (int32_t)d->opt.value_dim, &acc);
    finite &= all_finite(d, &w->partial[r]);
  }
  if (finite) return;
#pragma omp atomic
  p->plan->workspace.special[segment / 8] |= (unsigned char)(1u << segment % 8);
}

/* Items are segments, cut by KV heads where they are too few for the threads. */
static void meet_item(pass *p, const decode_worker *w, int64_t item) {
  const sr_decision *d = &p->plan->d;
  const int64_t segment = item / d->parts, part = item % d->parts, heads = d->opt.kv_heads;
  const int64_t first = heads * part / d->parts, last = heads * (part + 1) / d->parts;
  int64_t pairs = 0;
  for (int run = sr_mask_first_run(&d->opt.mask); run < SR_SIGHT_RUNS; run++) {
    const int64_t more = look(d, sr_tokens_segment(d->kv, segment), run, w) * (last - first);
    if (more > 0) meet_heads(p, w, segment, run, first, last);
    pairs += more;
  }
#pragma omp atomic
  p->done += pairs;
  if (omp_get_thread_num() == 0) sr_plan_progress(p->plan, &p->done);
}

/* Folds this rank's keys into accumulators of each thread's own, then adds these up in those of thread 0. */
static void meet_keys(pass *p) {
  const sr_plan *plan = p->plan;
  const sr_decision *d = &plan->d;
  const int32_t value_dim = (int32_t)d->opt.value_dim;
  const int64_t items = sr_tokens_segments(d->kv) * d->parts;
#pragma omp parallel num_threads(d->threads)
  {
    const int thread = omp_get_thread_num();
    decode_worker w = worker_at(d, plan->workspace.workers + (uint64_t)thread * d->worker_bytes);
    for (int64_t r = 0; r < d->tiles; r++) {
      sr_accumulator acc = accumulator(plan, thread, r);
      sr_accumulator_begin(d->kernel, &acc);
    }
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < items; i++) meet_item(p, &w, i);
#pragma omp for schedule(static)
    for (int64_t r = 0; r < d->tiles; r++) {
      sr_accumulator sum = accumulator(plan, 0, r);
      for (int t = 1; t < omp_get_num_threads(); t++) {
        sr_accumulator other = accumulator(plan, t, r);
        sr_accumulator_add(d->kernel, value_dim, &sum, &other);
      }
    }
  }
  sr_plan_progress(plan, &p->done);
}

/* Copies the sums of a row to reduced, or back. */
static void copy_sums(const sr_plan *plan, int64_t row, bool back) {
  const int64_t dim = plan->d.opt.value_dim;
  sr_accumulator acc = accumulator(plan, 0, row);
  double *pair = plan->workspace.reduced + plan->d.tiles + 2 * row * (1 + dim);
  for (int64_t i = 0; i <= dim; i++, pair += 2) {
    double *hi = i ? &acc.o_hi[i - 1] : acc.l_hi, *lo = i ? &acc.o_lo[i - 1] : acc.l_lo;
    if (back)
      *hi = pair[0], *lo = pair[1];
    else
      pair[0] = *hi, pair[1] = *lo;
  }
}

/* Adds up the ranks' accumulators, on all of them: first their exponents are made alike. */
static sr_status merge_ranks(sr_plan *plan) {
  const sr_decision *d = &plan->d;
  if (d->ranks == 1) return SR_OK;
  double start = sr_now();
  for (int64_t r = 0; r < d->tiles; r++) plan->workspace.reduced[r] = accumulator(plan, 0, r).e[0];
  SR_TRY(sr_comm_max(plan->comm, plan->workspace.reduced, d->tiles));
  for (int64_t r = 0; r < d->tiles; r++) {
    sr_accumulator acc = accumulator(plan, 0, r);
    sr_accumulator_raise(d->kernel, (int32_t)d->opt.value_dim, &acc, &plan->workspace.reduced[r]);
    copy_sums(plan, r, false);
  }
  SR_TRY(sr_comm_sum_pairs(plan->comm, plan->workspace.reduced + d->tiles, d->tiles * (1 + d->opt.value_dim)));
  for (int64_t r = 0; r < d->tiles; r++) copy_sums(plan, r, true);
  plan->stats.sent_bytes += sr_decode_reduced_bytes(d);
  plan->stats.wait_s += sr_now() - start;
  return SR_OK;
}

/* Visible NaN and Inf: segments that hold some have made scores or sums of this rank special. */
static sr_status count_nonfinite(sr_plan *plan, const sr_tensors *t) {
  const sr_decision *d = &plan->d;
  int64_t count = sr_nonfinite_queries(d, t->q);
  for (int64_t i = 0; i < sr_tokens_segments(d->kv); i++)
    if (plan->workspace.special[i / 8] >> i % 8 & 1) count += sr_nonfinite_segment(d, t, i);
  plan->stats.nonfinite = count;
  SR_TRY(sr_comm_sum_i64(plan->comm, &plan->stats.nonfinite, 1));
  return sr_plan_refuse_nonfinite(plan);
}

static void unpack_row(sr_plan *plan, const sr_tensors *t, int64_t row, int64_t query, int64_t local, int64_t head) {
  const sr_decision *d = &plan->d;
  const sr_options *o = &d->opt;
  const uint64_t at = (uint64_t)(local * o->q_heads + head);
  const uint64_t bytes = (uint64_t)o->value_dim * sr_dtype_size(o->out_dtype);
  const sr_sight sight = sr_mask_sees(&o->mask, d->q_start + query, o->kv_len);
  sr_accumulator acc = accumulator(plan, 0, row);
  double elements[SR_HEAD_DIM_MAX]; /* of any type */
  d->kernel->divide(&acc, (int32_t)o->value_dim);
  sr_accumulator_rows(d->kernel, (int32_t)o->value_dim, &acc, 0, 1, o->out_dtype, elements);
  sr_accumulator_store(&acc, 0, elements, bytes, !sr_sight_is_empty(&sight), (char *)t->o + at * bytes, d->lse_dtype,
                       (char *)t->lse + at * sr_dtype_size(d->lse_dtype));
}

sr_status sr_plan_decode(sr_plan *plan, const sr_tensors *tensors) {
  pass p = {.plan = plan, .tensors = tensors};
  memset(plan->workspace.special, 0, sr_decode_special_bytes(&plan->d));
  SR_TRY(share_queries(plan, tensors));
  meet_keys(&p);
  SR_TRY(merge_ranks(plan));
  SR_TRY(count_nonfinite(plan, tensors));
  visit_local_rows(plan, tensors, unpack_row);
  return SR_OK;
}
