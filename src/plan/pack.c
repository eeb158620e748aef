#include "pack.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/convert.h"
#include "block.h"
#include "schedule/segment.h"
#include "stay.h"

/* Bytes of a row of a tensor: one head of one token. */
static int64_t row_bytes(int64_t width, sr_dtype dtype) {
  return width * (int64_t)sr_dtype_size(dtype);
}

/* Element [query][head][0] of a tensor of `heads` heads of `width`. */
static const char *element(const void *tensor, sr_dtype dtype, int64_t row, int64_t heads, int64_t head,
                           int64_t width) {
  return (const char *)tensor + (row * heads + head) * row_bytes(width, dtype);
}

/* n elements as the kernel multiplies them, one behind the other. */
static void convert(const sr_decision *d, const void *from, int64_t n, void *to) {
  uint16_t half[SR_HEAD_DIM_MAX];
  if (d->kernel->compute == SR_F64) {
    sr_to_f64(d->opt.dtype, from, n, to);
  } else if (d->kernel->compute == SR_F32) {
    sr_to_f32(d->opt.dtype, from, n, to);
  } else if (d->kernel->pack == 2) {
    sr_to_bf16(d->opt.dtype, from, n, to);
  } else {
    sr_to_bf16(d->opt.dtype, from, n, half);
    sr_to_f32(SR_BF16, half, n, to);
  }
}

/* A key, or a query that is not scaled, in whole units. */
static void put_row(const sr_decision *d, const void *from, char *units) {
  const uint64_t bytes = sr_key_bytes(d->kernel, d->opt.head_dim), unit = sr_unit_bytes(d->kernel);
  if (d->opt.head_dim % d->kernel->pack) memset(units + bytes - unit, 0, unit);
  convert(d, from, d->opt.head_dim, units);
}

void sr_pack_query(const sr_decision *d, const void *query, void *units) {
  if (d->kernel->compute == SR_BF16) /* scaled later: times a factor, not even bfloat16 input would stay what it is */
    put_row(d, query, units);
  else
    d->kernel->row->scale(d->opt.dtype, query, d->opt.head_dim, d->scale * M_LOG2E, units);
}

static double larger(double a, double b) {
  return a > b ? a : b;
}

/* What the length of a vector, times a factor, counts as. Infinite where an element is not finite, and so large that
 * products might leave the range of sums. A length that is tiny, and may have lost squares below that range, counts as
 * a little more: what it has lost matters beside a huge factor, or vector. */
static double length(const sr_decision *d, double norm, double factor) {
  const bool wide = d->kernel->sums == SR_F64;
  const double whole = larger(norm, wide ? 0x1p-500 : 0x1p-60) * factor;
  return whole < (wide ? 0x1p500 : 0x1p60) ? whole : (double)INFINITY;
}

/* The rows of q, o and lse, [query][head], that are the rows of a tile, by number. */
typedef struct lanes {
  int64_t row[SR_MAX_TILE];
  int64_t n;
} lanes;

static lanes lanes_of(const sr_decision *d, const sr_tile_rows *t) {
  lanes l = {.n = t->rows};
  sr_row row = sr_decision_first_row(d, t);
  for (int64_t i = 0; i < l.n; i++, row = sr_decision_next_row(d, row))
    l.row[i] = (t->local + row.query) * d->work.q_heads + t->head * d->work.group + row.head;
  return l;
}

/* Rows are asked for so many rows before they are used: those of one head lie apart. */
enum { ROWS_AHEAD = 8 };

static void ask_for(const void *tensor, int64_t bytes, const lanes *l, int64_t lane) {
  if (lane >= l->n) return;
  const char *row = (const char *)tensor + l->row[lane] * bytes;
  for (int64_t at = 0; at < bytes; at += SR_LINE) __builtin_prefetch(row + at);
}

/* Lanes of the tile in the group that starts at `first`. */
static int64_t group_at(const sr_decision *d, int64_t first) {
  return d->kernel->tile - first < SR_TURNED ? d->kernel->tile - first : SR_TURNED;
}

/* NaN and Inf of some elements of the query at a position, none when it sees no key. */
static int64_t nonfinite_query(const sr_decision *d, const void *elements, int64_t n, int64_t position) {
  const sr_sight sight = sr_mask_sees(&d->opt.mask, position, d->opt.kv_len);
  return sr_sight_is_empty(&sight) ? 0 : sr_count_nonfinite(d->opt.dtype, elements, n);
}

/* Queries from `first` on become lanes of a tile; lanes without a query are 0. */
static void pack_group(const sr_decision *d, const char *q, const lanes *l, int64_t first, char *packed, double *norm) {
  double group[SR_TURNED * SR_HEAD_DIM_MAX];
  const int64_t unit = (int64_t)sr_unit_bytes(d->kernel), bytes = (int64_t)sr_key_bytes(d->kernel, d->opt.head_dim);
  const int64_t n = group_at(d, first), row = row_bytes(d->opt.head_dim, d->opt.dtype);
  for (int64_t i = 0; i < n; i++) {
    char *units = (char *)group + i * bytes;
    norm[first + i] = 0;
    if (first + i >= l->n) {
      memset(units, 0, (size_t)bytes);
      continue;
    }
    const char *from = q + l->row[first + i] * row;
    ask_for(q, row, l, first + i + ROWS_AHEAD);
    sr_pack_query(d, from, units);
    norm[first + i] = length(d, d->kernel->row->norm(d->opt.dtype, from, d->opt.head_dim), fabs(d->scale) * M_LOG2E);
  }
  d->kernel->row->transpose(group, bytes / unit, n, bytes / unit, packed + first * unit, d->kernel->tile);
}

static void pack_queries(const sr_decision *d, const void *q, const lanes *l, char *packed, double *norm) {
  const int64_t row = row_bytes(d->opt.head_dim, d->opt.dtype);
  for (int64_t lane = 0; lane < ROWS_AHEAD; lane++) ask_for(q, row, l, lane);
  for (int64_t first = 0; first < d->kernel->tile; first += SR_TURNED) pack_group(d, q, l, first, packed, norm);
}

/* NaN and Inf of packed queries: those of them whose length is infinite have some, or are very long. */
static int64_t nonfinite_packed(const sr_decision *d, const sr_tile_rows *t, const char *q, const lanes *l,
                                const double *norm) {
  const int64_t row = row_bytes(d->opt.head_dim, d->opt.dtype);
  int64_t nonfinite = 0;
  for (int64_t lane = 0; lane < l->n; lane++)
    if (!isfinite(norm[lane]))
      nonfinite += nonfinite_query(d, q + l->row[lane] * row, d->opt.head_dim,
                                   t->position + (t->first_row + lane) / d->work.group);
  return nonfinite;
}

/* Rows of zeros behind a segment's keys, or values, of one head. */
static void clear_rest(const sr_segment *s, int64_t pack, uint64_t bytes, char *head) {
  const int64_t used = (s->keys.count + pack - 1) / pack;
  memset(head + (uint64_t)used * bytes, 0, (uint64_t)(s->padded / pack - used) * bytes);
}

/* Keys of all heads, token by token as the caller's memory has them, the bytes of each rounded up with zeros. longest
 * [kv_heads] grows to the length of each head's longest key. */
static void pack_keys(const sr_decision *d, const sr_segment *s, const void *k, int64_t local, char *memory,
                      double *longest) {
  const int64_t dim = d->opt.head_dim, heads = d->work.kv_heads;
  const uint64_t bytes = sr_key_bytes(d->kernel, dim);
  const int64_t row = row_bytes(dim, d->opt.dtype);
  char *to = sr_block_k(&d->shape, s, 0, memory);
  const ptrdiff_t apart = sr_block_k(&d->shape, s, 1, memory) - to;
  const char *from = element(k, d->opt.dtype, local, heads, 0, dim);
  for (int64_t j = 0; j < s->keys.count; j++, to += bytes)
    for (int64_t head = 0; head < heads; head++, from += row) {
      put_row(d, from, to + head * apart);
      longest[head] = larger(longest[head], d->kernel->row->norm(d->opt.dtype, from, dim));
    }
  for (int64_t head = 0; head < heads; head++) clear_rest(s, 1, bytes, sr_block_k(&d->shape, s, head, memory));
}

/* Values of two keys, component by component; of the first key alone, with zeros, where there is no second. */
static void pack_pair(const sr_decision *d, const void *first, const void *second, uint16_t *to) {
  uint16_t half[2][SR_HEAD_DIM_MAX] = {{0}};
  convert(d, first, d->opt.value_dim, half[0]);
  if (second) convert(d, second, d->opt.value_dim, half[1]);
  for (int64_t i = 0; i < d->opt.value_dim; i++) {
    to[2 * i] = half[0][i];
    to[2 * i + 1] = half[1][i];
  }
}

/* Values of all heads, likewise. */
static void pack_values(const sr_decision *d, const sr_segment *s, const void *v, int64_t local, char *memory,
                        double *longest) {
  const sr_options *o = &d->opt;
  const int64_t pack = d->kernel->pack, keys = s->keys.count, heads = d->work.kv_heads;
  const uint64_t bytes = sr_value_bytes(d->kernel, o->value_dim) * (uint64_t)pack;
  const int64_t row = row_bytes(o->value_dim, o->dtype);
  char *to = sr_block_v(&d->shape, s, 0, memory);
  const ptrdiff_t apart = sr_block_v(&d->shape, s, 1, memory) - to;
  for (int64_t j = 0; j < keys; j += pack, to += bytes) {
    const char *first = element(v, o->dtype, local + j, heads, 0, o->value_dim);
    for (int64_t head = 0; head < heads; head++, first += row) {
      const char *second = pack == 2 && j + 1 < keys ? first + heads * row : NULL;
      if (pack == 1)
        convert(d, first, o->value_dim, to + head * apart);
      else
        pack_pair(d, first, second, (uint16_t *)(void *)(to + head * apart));
      longest[head] = larger(longest[head], d->kernel->row->norm(o->dtype, first, o->value_dim));
      if (second) longest[head] = larger(longest[head], d->kernel->row->norm(o->dtype, second, o->value_dim));
    }
  }
  for (int64_t head = 0; head < heads; head++) clear_rest(s, pack, bytes, sr_block_v(&d->shape, s, head, memory));
}

/* NaN and Inf elements in local rows [from, to) of k and v. */
static int64_t nonfinite_rows(const sr_decision *d, const sr_tensors *t, int64_t from, int64_t to) {
  const sr_options *o = &d->opt;
  if (from >= to) return 0;
  return sr_count_nonfinite(o->dtype, element(t->k, o->dtype, from, d->work.kv_heads, 0, o->head_dim),
                            (to - from) * d->work.kv_heads * o->head_dim) +
         sr_count_nonfinite(o->dtype, element(t->v, o->dtype, from, d->work.kv_heads, 0, o->value_dim),
                            (to - from) * d->work.kv_heads * o->value_dim);
}

int64_t sr_nonfinite_segment(const sr_decision *d, const sr_tensors *t, int64_t i) {
  const sr_sight sight = sr_mask_union(&d->opt.mask, d->q_start, d->opt.q_len, d->opt.kv_len);
  const sr_span keys = sr_tokens_segment(d->work.kv, i);
  int64_t nonfinite = 0;
  for (int run = 0; run < SR_SIGHT_RUNS; run++) {
    const sr_keys seen = sr_block_sees(keys, sight.run[run]);
    nonfinite += nonfinite_rows(d, t, i * SR_SEGMENT + seen.lo, i * SR_SEGMENT + seen.hi);
  }
  return nonfinite;
}

/* Whether the longest value is tame: not too large, as length has it, nor so small that the weights of bounded rows,
 * down to 2^-64 (float64: 2^-512), might lose values. */
static bool is_tame(const sr_decision *d, double longest_value) {
  return longest_value >= 0x1p-30 && isfinite(length(d, longest_value, 1));
}

/* A segment of this rank's shard; returns its NaN and Inf elements that some query sees. norm becomes what queries'
 * lengths are multiplied with for the bounds of sr_tile: first the longest value's length, then the longest key's, but
 * infinite where values are not tame. */
static int64_t pack_segment(sr_plan *plan, const sr_tensors *t, int64_t i) {
  const sr_decision *d = &plan->d;
  const int64_t place = sr_block_find(&d->block[0], sr_tokens_segment(d->work.kv, i).start); /* its team has more */
  const sr_segment s = sr_block_segment(&d->shape, &d->block[0], place);
  const int64_t local = i * SR_SEGMENT, heads = d->work.kv_heads;
  double *norm = sr_plan_key_norm(plan, s.keys.start);
  bool tame = true;
  pack_values(d, &s, t->v, local, plan->workspace.buffer[0], norm);
  for (int64_t head = 0; head < heads; head++) norm[head] = is_tame(d, norm[head]) ? 0 : (double)INFINITY;
  pack_keys(d, &s, t->k, local, plan->workspace.buffer[0], norm);
  for (int64_t head = 0; head < heads; head++) norm[head] = length(d, norm[head], 1), tame &= isfinite(norm[head]) != 0;
  return tame || !d->work.counts ? 0 : sr_nonfinite_segment(d, t, i);
}

int64_t sr_nonfinite_queries(const sr_decision *d, const void *q) {
  const int64_t row = d->opt.q_heads * d->opt.head_dim;
  int64_t nonfinite = 0, local = 0;
  for (int64_t s = 0; s < d->q.n; s++) {
    const sr_span span = d->q.span[s];
#pragma omp parallel for num_threads(d->threads) schedule(static) reduction(+ : nonfinite)
    for (int64_t i = 0; i < span.count; i++)
      nonfinite += nonfinite_query(d, element(q, d->opt.dtype, local + i, 1, 0, row), row, d->q_start + span.start + i);
    local += span.count;
  }
  return nonfinite;
}

int64_t sr_pack_tile(const sr_plan *plan, int64_t tile, const sr_tensors *t, const sr_state *state) {
  const sr_decision *d = &plan->d;
  const sr_tile_rows rows = sr_decision_tile(d, tile);
  const lanes l = lanes_of(d, &rows);
  for (int run = SR_SIGHT_RUNS - (int)d->sets; run < SR_SIGHT_RUNS; run++)
    pack_queries(d, sr_plan_queries(d, t, run), &l, state->queries[run], state->query_norm[run]);
  return sr_decision_counts_queries(d) ? 0 : nonfinite_packed(d, &rows, t->q, &l, state->query_norm[SR_SIGHT_WINDOW]);
}

static int64_t pack_kept(const sr_plan *plan, int64_t tile, const sr_tensors *t) {
  if (sr_stay_of(&plan->d, tile).step >= 0) return 0;
  const sr_state state = sr_plan_kept(plan, tile);
  return sr_pack_tile(plan, tile, t, &state);
}

int64_t sr_plan_pack(sr_plan *plan, const sr_tensors *t) {
  const sr_decision *d = &plan->d;
  const int64_t segments = sr_tokens_segments(d->work.kv);
  int64_t nonfinite = 0;
  memset(plan->workspace.key_norm, 0, sr_key_norm_bytes(d));
#pragma omp parallel num_threads(d->threads) reduction(+ : nonfinite)
  {
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < d->tiles; i++) nonfinite += pack_kept(plan, i, t);
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < segments; i++) nonfinite += pack_segment(plan, t, i);
  }
  return nonfinite;
}

/* Rows of a tile from `first` on. An accumulator into which nothing was folded is of rows that see no key. */
static void unpack_group(const sr_decision *d, const sr_sight *sees, int64_t first, const sr_accumulator *acc,
                         const lanes *l, const sr_tensors *t) {
  double group[SR_TURNED * SR_HEAD_DIM_MAX]; /* of any type */
  const int64_t bytes = row_bytes(d->opt.value_dim, d->opt.out_dtype), lse_bytes = row_bytes(1, d->lse_dtype);
  if (!sr_accumulator_is_new(acc))
    sr_accumulator_rows(d->kernel, (int32_t)d->opt.value_dim, acc, (int32_t)first, (int32_t)group_at(d, first),
                        d->opt.out_dtype, group);
  for (int64_t lane = first; lane < first + SR_TURNED && lane < l->n; lane++) {
    ask_for(t->o, bytes, l, lane + ROWS_AHEAD);
    sr_accumulator_store(acc, (int32_t)lane, (char *)group + (lane - first) * bytes, (uint64_t)bytes,
                         !sr_sight_is_empty(&sees[lane]), (char *)t->o + l->row[lane] * bytes, d->lse_dtype,
                         (char *)t->lse + l->row[lane] * lse_bytes);
  }
}

void sr_unpack_tile(const sr_plan *plan, int64_t tile, const sr_sight *sees, sr_accumulator acc, const sr_tensors *t) {
  const sr_decision *d = &plan->d;
  const sr_tile_rows rows = sr_decision_tile(d, tile);
  const lanes l = lanes_of(d, &rows);
  const int64_t bytes = row_bytes(d->opt.value_dim, d->opt.out_dtype);
  for (int64_t lane = 0; lane < ROWS_AHEAD; lane++) ask_for(t->o, bytes, &l, lane);
  d->kernel->divide(&acc, (int32_t)d->opt.value_dim);
  for (int64_t first = 0; first < l.n; first += SR_TURNED) unpack_group(d, sees, first, &acc, &l, t);
}
