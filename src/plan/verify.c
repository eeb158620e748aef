/* An output checked against its definition, by other code than what made it: no tiles, no segments, no ring. Every rank
 * meets the sampled queries with the keys it holds, and the partial results are merged. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/convert.h"
#include "base/error.h"
#include "base/random.h"
#include "comm/comm.h"
#include "kernels/reference.h"
#include "plan.h"
#include "schedule/segment.h"

/* Queries looked at together: bounds the memory that a sample takes. */
enum { GROUP = 16 };

typedef struct group {
  int64_t n;                /* queries */
  int64_t query[GROUP];     /* of the whole sequence, ascending */
  int64_t local[GROUP];     /* its local index, -1 on other ranks */
  double *q[SR_SIGHT_RUNS]; /* [n][q_heads][head_dim] as they meet a run */
  sr_reference *row;        /* [n][q_heads] */
  double *o;                /* [n][q_heads][value_dim] of the rows */
  double *reduced;          /* what one reduction carries */
} group;

/* The i-th of n queries: one from each of n equal runs of the sequence, the sequence's last query in the last. */
static int64_t sample(int64_t q_len, int64_t n, int64_t i, uint64_t seed) {
  int64_t from = (int64_t)((double)q_len * (double)i / (double)n),
          to = (int64_t)((double)q_len * (double)(i + 1) / (double)n);
  if (i == n - 1 || to <= from) return i == n - 1 ? q_len - 1 : from;
  return from + (int64_t)(sr_random_bits(seed ^ sr_random_bits((uint64_t)i, 0), 0) % (uint64_t)(to - from));
}

static int64_t local_of(sr_tokens tokens, int64_t query) {
  int64_t local = 0;
  for (int64_t i = 0; i < tokens.n; i++) {
    sr_span s = tokens.span[i];
    if (query >= s.start && query < s.start + s.count) return local + query - s.start;
    local += s.count;
  }
  return -1;
}

static void group_free(group *g) {
  for (int run = 0; run < SR_SIGHT_RUNS; run++) free(g->q[run]);
  free(g->row);
  free(g->o);
  free(g->reduced);
}

static sr_status group_create(const sr_decision *d, group *g) {
  size_t rows = GROUP * (size_t)d->opt.q_heads;
  const size_t q = rows * (size_t)d->opt.head_dim;
  *g = (group){.q = {calloc(q, sizeof(double)), calloc(q, sizeof(double))},
               .row = calloc(rows, sizeof(sr_reference)),
               .o = calloc(rows * (size_t)d->opt.value_dim, sizeof(double)),
               .reduced = calloc(rows * (size_t)(d->opt.value_dim + 4), sizeof(double))};
  if (g->q[0] && g->q[1] && g->row && g->o && g->reduced) return SR_OK;
  return sr_fail(SR_ERR_RESOURCE, "no memory to verify %d queries", GROUP);
}

/* Brings the queries, as they meet a run, to all ranks: owners fill them in, the others add zeros. */
static sr_status load_run(const sr_plan *plan, const sr_tensors *t, int run, group *g) {
  const sr_decision *d = &plan->d;
  int64_t width = d->opt.q_heads * d->opt.head_dim;
  for (int64_t i = 0; i < g->n; i++) {
    double *q = g->q[run] + i * width;
    g->local[i] = local_of(d->q, g->query[i]);
    memset(q, 0, (size_t)width * sizeof *q);
    const char *from = sr_plan_queries(d, t, run);
    if (g->local[i] >= 0)
      sr_to_f64(d->opt.dtype, from + (uint64_t)(g->local[i] * width) * sr_dtype_size(d->opt.dtype), width, q);
  }
  return sr_comm_sum(plan->comm, g->q[run], g->n * width);
}

static sr_status group_load(const sr_plan *plan, const sr_tensors *t, group *g) {
  const int first = SR_SIGHT_RUNS - (int)plan->d.sets;
  for (int run = first; run < SR_SIGHT_RUNS; run++) SR_TRY(load_run(plan, t, run, g));
  return SR_OK;
}

/* Row r meets those of a run of keys that this rank holds. */
static void meet_run(const sr_plan *plan, const sr_tensors *t, const group *g, int64_t r, int run, sr_range seen) {
  const sr_decision *d = &plan->d;
  const sr_options *o = &d->opt;
  const int64_t k_row = o->kv_heads * o->head_dim, v_row = o->kv_heads * o->value_dim;
  const int64_t head = r % o->q_heads / d->group;
  const uint64_t element = sr_dtype_size(o->dtype);
  const double *q = g->q[d->sets == 1 ? SR_SIGHT_WINDOW : run];
  int64_t local = 0;
  for (int64_t i = 0; i < d->kv.n; i++) {
    sr_span s = d->kv.span[i];
    int64_t from = seen.lo > s.start ? seen.lo : s.start, end = s.start + s.count, to = seen.hi < end ? seen.hi : end;
    int64_t first = local + from - s.start;
    local += s.count;
    if (from >= to) continue;
    sr_reference_meet(&g->row[r], q + r * o->head_dim, d->scale, o->dtype,
                      (const char *)t->k + (uint64_t)(first * k_row + head * o->head_dim) * element, k_row,
                      (int32_t)o->head_dim,
                      (const char *)t->v + (uint64_t)(first * v_row + head * o->value_dim) * element, v_row,
                      (int32_t)o->value_dim, to - from, (double)(from - d->q_start - g->query[r / o->q_heads]));
  }
}

/* Row r (query r / q_heads, head r % q_heads) meets the keys that this rank holds. */
static void meet_local(const sr_plan *plan, const sr_tensors *t, group *g, int64_t r) {
  const sr_decision *d = &plan->d;
  const sr_options *o = &d->opt;
  const sr_sight sight = sr_mask_sees(&o->mask, d->q_start + g->query[r / o->q_heads], o->kv_len);
  g->row[r].o = g->o + r * o->value_dim;
  sr_reference_clear(&g->row[r], (int32_t)o->value_dim);
  if (o->slopes) g->row[r].slope = o->slopes[r % o->q_heads];
  for (int i = 0; i < SR_SIGHT_RUNS; i++) meet_run(plan, t, g, r, i, sight.run[i]);
}

/* Merges the ranks' states: first the largest score, reach and |v|, then the sums, relative to that largest score. */
static sr_status merge_ranks(const sr_plan *plan, group *g) {
  const int64_t rows = g->n * plan->d.opt.q_heads, dv = plan->d.opt.value_dim, sums = dv + 3;
  for (int64_t r = 0; r < rows; r++) {
    g->reduced[3 * r] = g->row[r].top;
    g->reduced[3 * r + 1] = g->row[r].reach;
    g->reduced[3 * r + 2] = g->row[r].v_top;
  }
  SR_TRY(sr_comm_max(plan->comm, g->reduced, 3 * rows));
  for (int64_t r = 0; r < rows; r++) {
    sr_reference *row = &g->row[r];
    sr_reference_raise(row, g->reduced[3 * r], (int32_t)dv);
    row->reach = g->reduced[3 * r + 1];
    row->v_top = g->reduced[3 * r + 2];
  }
  for (int64_t r = 0; r < rows; r++) {
    g->reduced[r * sums] = g->row[r].l;
    g->reduced[r * sums + 1] = g->row[r].keys;
    g->reduced[r * sums + 2] = g->row[r].bias;
    memcpy(g->reduced + r * sums + 3, g->row[r].o, (size_t)dv * sizeof(double));
  }
  SR_TRY(sr_comm_sum(plan->comm, g->reduced, rows * sums));
  for (int64_t r = 0; r < rows; r++) {
    g->row[r].l = g->reduced[r * sums];
    g->row[r].keys = g->reduced[r * sums + 1];
    g->row[r].bias = g->reduced[r * sums + 2];
    memcpy(g->row[r].o, g->reduced + r * sums + 3, (size_t)dv * sizeof(double));
  }
  return SR_OK;
}

static bool same(double a, double b) {
  return a == b || (isnan(a) && isnan(b));
}

/* Largest relative error of rounding to a type, the smallest number it has, and from where on it rounds to Inf. */
typedef struct precision {
  double unit, smallest, overflow;
} precision;

static precision precision_of(sr_dtype dtype) {
  switch (dtype) {
  case SR_F16:
    return (precision){0x1p-11, 0x1p-24, (2 - 0x1p-11) * 0x1p15};
  case SR_BF16:
    return (precision){0x1p-8, 0x1p-133, (2 - 0x1p-8) * 0x1p127};
  case SR_F32:
    return (precision){0x1p-24, 0x1p-149, (2 - 0x1p-24) * 0x1p127};
  default:
    return (precision){0x1p-53, 0x1p-1074, (double)INFINITY};
  }
}

/* What rounding can do to a row: a score is off by some units of its reach and of what a slope has added to it, where
 * it has weight, the more of them the longer the sums are that a few queries' products go into at once; a sum by some
 * tens of units, and o by both times the largest |v|. Rounded factors add a unit of theirs each. Scores or sums past
 * the range of the sums' type explain anything. */
typedef struct bound {
  double o, lse;
} bound;

static bool rounds_inputs(const sr_decision *d) {
  return d->kernel->compute == SR_BF16 && d->opt.dtype != SR_BF16;
}

static bound rounding(const sr_decision *d, const sr_reference *row) {
  precision factors = precision_of(d->kernel->compute), sums = precision_of(d->kernel->sums);
  precision out = precision_of(d->opt.out_dtype);
  double most = d->kernel->sums == SR_F64 ? DBL_MAX : (double)FLT_MAX;
  if (row->keys == 0) return (bound){0, 0}; /* nothing is computed */
  if (!(row->reach * M_LOG2E < most && row->v_top < most / SR_SEGMENT))
    return (bound){(double)INFINITY, (double)INFINITY};
  const double bias = row->l > 0 ? row->bias / row->l : 0;
  const double units = sr_decision_decodes(d) ? fmax(4, (double)d->opt.head_dim / 16) : 4;
  double relative = 2 * sums.unit * (32 + units * (row->reach + bias));
  if (d->kernel->compute != d->kernel->sums)
    relative += 2 * factors.unit * (2 + (rounds_inputs(d) ? 4 * row->reach : 0));
  return (bound){row->v_top * (relative + out.unit) + 8 * row->keys * sums.smallest + out.smallest, relative};
}

/* How far a value is from its reference, as a share of what is allowed. One that is not finite must be met exactly. */
static double share(double got, double want, double allowed) {
  if (same(got, want) || isinf(allowed)) return 0;
  double error = fabs(got - want);
  return isfinite(error) ? error / allowed : (double)INFINITY;
}

/* Whether a type of output has no number as large as the reference, but for what is allowed, and has Inf for it. */
static bool overflows(double got, double want, double allowed, sr_dtype type) {
  return isinf(got) && isfinite(want) && !signbit(got) == !signbit(want) &&
         fabs(want) + allowed >= precision_of(type).overflow;
}

/* Likewise of an element of o: a weight that float32 cannot hold may turn Inf into NaN. */
static double share_of_o(double got, double want, double allowed) {
  return isinf(want) && isnan(got) ? 0 : share(got, want, allowed);
}

/* |got - want| over max(1, |want|), Inf where only one is finite. */
static double relative_error(double got, double want) {
  if (same(got, want)) return 0;
  double error = fabs(got - want) / fmax(1, fabs(want));
  return isfinite(error) ? error : (double)INFINITY;
}

/* Compares row r with the output, where this rank holds it. */
static void judge(const sr_plan *plan, const sr_tensors *t, group *g, int64_t r, sr_verify_result *result) {
  const sr_decision *d = &plan->d;
  const sr_options *opt = &d->opt;
  int64_t local = g->local[r / opt->q_heads], head = r % opt->q_heads;
  if (local < 0) return;
  bound allowed = rounding(d, &g->row[r]);
  double lse, o[SR_HEAD_DIM_MAX], want = sr_reference_finish(&g->row[r], (int32_t)opt->value_dim);
  uint64_t at = (uint64_t)(local * opt->q_heads + head);
  sr_to_f64(d->lse_dtype, (const char *)t->lse + at * sr_dtype_size(d->lse_dtype), 1, &lse);
  sr_to_f64(opt->out_dtype, (const char *)t->o + at * (uint64_t)opt->value_dim * sr_dtype_size(opt->out_dtype),
            opt->value_dim, o);
  double worst =
      share(lse, want, allowed.lse + (isfinite(want) ? fabs(want) * 4 * precision_of(d->lse_dtype).unit : 0));
  result->rows++;
  result->lse_error = fmax(result->lse_error, relative_error(lse, want));
  for (int64_t i = 0; i < opt->value_dim; i++) {
    double ref = g->row[r].o[i];
    if (overflows(o[i], ref, allowed.o, opt->out_dtype)) continue;
    result->o_error = fmax(result->o_error, relative_error(o[i], ref));
    worst = fmax(worst, share_of_o(o[i], ref, allowed.o));
  }
  if (worst <= result->worst) return;
  result->worst = worst;
  result->worst_query = g->query[r / opt->q_heads];
  result->worst_head = head;
}

/* The worst of all ranks. */
static sr_status gather(const sr_plan *plan, sr_verify_result *result) {
  double worst[3] = {result->worst, result->o_error, result->lse_error};
  SR_TRY(sr_comm_sum_i64(plan->comm, &result->rows, 1));
  SR_TRY(sr_comm_max(plan->comm, worst, 3));
  bool mine = result->worst == worst[0];
  double where = mine ? (double)result->worst_query : -1;
  SR_TRY(sr_comm_max(plan->comm, &where, 1));
  double head = mine && where == (double)result->worst_query ? (double)result->worst_head : -1;
  SR_TRY(sr_comm_max(plan->comm, &head, 1));
  result->worst = worst[0], result->o_error = worst[1], result->lse_error = worst[2];
  result->worst_query = (int64_t)where;
  result->worst_head = (int64_t)head;
  return SR_OK;
}

static sr_status verify_groups(const sr_plan *plan, const sr_tensors *t, int64_t n, uint64_t seed, group *g,
                               sr_verify_result *result) {
  for (int64_t first = 0; first < n; first += GROUP) {
    g->n = n - first < GROUP ? n - first : GROUP;
    for (int64_t i = 0; i < g->n; i++) g->query[i] = sample(plan->d.opt.q_len, n, first + i, seed);
    SR_TRY(group_load(plan, t, g));
    int64_t rows = g->n * plan->d.opt.q_heads;
#pragma omp parallel for num_threads(plan->d.threads) schedule(dynamic, 1)
    for (int64_t r = 0; r < rows; r++) meet_local(plan, t, g, r);
    SR_TRY(merge_ranks(plan, g));
    for (int64_t r = 0; r < rows; r++) judge(plan, t, g, r, result);
  }
  return gather(plan, result);
}

sr_status sr_plan_verify(sr_plan *plan, const sr_tensors *tensors, int64_t n_queries, uint64_t seed,
                         sr_verify_result *result) {
  group g = {0};
  *result = (sr_verify_result){0};
  int64_t n = n_queries < plan->d.opt.q_len ? n_queries : plan->d.opt.q_len;
  sr_status status = sr_plan_check_tensors(plan, tensors);
  if (status == SR_OK && n < 1) status = sr_fail(SR_ERR_ARGUMENT, "%" PRId64 " queries to verify", n_queries);
  if (status == SR_OK) status = group_create(&plan->d, &g);
  status = sr_agree(plan->comm, status);
  if (status == SR_OK) status = verify_groups(plan, tensors, n, seed, &g, result);
  group_free(&g);
  if (status == SR_OK && result->worst > 1)
    return sr_fail(SR_ERR_WRONG,
                   "query %" PRId64 ", head %" PRId64
                   " is off by %.3g times what rounding explains (largest error of o "
                   "%.3g, of lse %.3g)",
                   result->worst_query, result->worst_head, result->worst, result->o_error, result->lse_error);
  return status;
}
