/* A tile of the instruction set in use (SEQRING_ISA) over some segments of keys, packed as the engine packs it.
 *
 *   rig r = make_rig(SR_BF16, 64, 64, 1500, &random);
 *   set(&r, r.k, 7 * 64, (double)NAN);
 *   run(&r, NULL, &result);
 *   free_rig(&r);
 */
#ifndef TESTS_UNIT_RIG_H
#define TESTS_UNIT_RIG_H

#include <math.h>
#include <seqring/version.h>
#include <stdlib.h>
#include <string.h>

#include "base/convert.h"
#include "base/memory.h"
#include "kernels/kernel.h"
#include "suite.h"

enum { SEGMENT = 1024, MOST_SEGMENTS = 3, WIDEST = SR_HEAD_DIM_MAX };

static const sr_dtype products[] = {SR_F32, SR_F64, SR_BF16};
enum { PRODUCTS = sizeof products / sizeof *products };

/* Of the instruction set in use. */
static inline const sr_kernel *kernel_of(sr_dtype compute) {
  const sr_kernel *kernel;
  if (sr_kernel_choose(compute, false, &kernel) == SR_OK) return kernel;
  fprintf(stderr, "%s\n", sr_error_text());
  exit(1);
}

typedef struct rig {
  const sr_kernel *kernel;
  int32_t head_dim, value_dim, keys, segments;
  double *q, *k, *v; /* [tile][head_dim], [keys][head_dim], [keys][value_dim], all of which the products' type holds */
  double scale;      /* of scores, in log2 units; 1 where queries carry it */
  int64_t lo[SR_MAX_TILE], hi[SR_MAX_TILE]; /* the lane sees keys lo <= j < hi */
  bool finite;                              /* false: values take the way of those that may be NaN or Inf */
  bool bounded[SR_MAX_TILE];                /* false: the size of the lane's scores is not known beforehand */
  bool has_slopes;                          /* scores grow, in log2 units, by the lane's slope from key to key */
  double slope[SR_MAX_TILE];                /* 0 unless has_slopes */
  int64_t place[SR_MAX_TILE];               /* the key from which on they do */
  int alone;                                /* segments that are folded one by one, before SR_PARTIALS are at a time */
  int32_t cut;   /* a multiple of the key block: a segment is met in two calls, up to it and from it on */
  int32_t shift; /* elements that memory for the kernel lies behind a border of SR_ALIGN */
} rig;

/* Memory for the kernel, each block as long as its contract says and not a byte longer. */
typedef struct packed {
  void *block[10];
  int blocks;
  char *q, *k, *v;
  void *scratch;
  sr_partial partial[SR_PARTIALS];
  sr_accumulator acc;
} packed;

/* The number nearest to x that the products' type holds. */
static inline double held(const rig *r, double x) {
  uint16_t half;
  if (r->kernel->compute == SR_F64) return x;
  if (r->kernel->compute == SR_F32) return (double)(float)x;
  sr_to_bf16(SR_F64, &x, 1, &half);
  sr_to_f64(SR_BF16, &half, 1, &x);
  return x;
}

static inline void set(const rig *r, double *array, int64_t i, double x) {
  array[i] = held(r, x);
}

static inline void fill(const rig *r, double *array, int64_t n, double factor, uint64_t *random) {
  for (int64_t i = 0; i < n; i++) set(r, array, i, factor * random_normal(random));
}

/* Normal keys and values, and queries whose scores are of about 1.4, in log2 units; every lane sees every key. */
static inline rig make_rig(sr_dtype compute, int32_t head_dim, int32_t value_dim, int32_t keys, uint64_t *random) {
  rig r = {.head_dim = head_dim, .value_dim = value_dim, .keys = keys, .segments = (keys + SEGMENT - 1) / SEGMENT};
  r.kernel = kernel_of(compute);
  const double size = M_LOG2E / sqrt(head_dim);
  r.scale = compute == SR_BF16 ? (double)(float)size : 1;
  r.finite = true;
  r.cut = SEGMENT / 2;
  r.alone = MOST_SEGMENTS;
  r.q = malloc(sizeof(double) * (size_t)(head_dim * r.kernel->tile));
  r.k = malloc(sizeof(double) * (size_t)(head_dim * keys));
  r.v = malloc(sizeof(double) * (size_t)(value_dim * keys));
  fill(&r, r.q, (int64_t)head_dim * r.kernel->tile, compute == SR_BF16 ? 1 : size, random);
  fill(&r, r.k, (int64_t)head_dim * keys, 1, random);
  fill(&r, r.v, (int64_t)value_dim * keys, 1, random);
  for (int i = 0; i < r.kernel->tile; i++) r.lo[i] = 0, r.hi[i] = keys, r.bounded[i] = true;
  return r;
}

static inline void free_rig(rig *r) {
  free(r->q);
  free(r->k);
  free(r->v);
}

/* Every byte is set, so that what the kernel reads and nobody wrote is NaN. */
static inline char *place(packed *p, uint64_t bytes, uint64_t shift) {
  void **block = &p->block[p->blocks++];
  if (posix_memalign(block, SR_ALIGN, bytes + shift)) exit(1);
  memset(*block, 0xff, bytes + shift);
  return (char *)*block + shift;
}

/* Element i of packed queries, keys or values. */
static inline void put(const sr_kernel *kernel, char *array, int64_t i, double x) {
  if (kernel->pack == 2)
    sr_to_bf16(SR_F64, &x, 1, (uint16_t *)(void *)array + i);
  else if (kernel->sums == SR_F64)
    ((double *)(void *)array)[i] = x;
  else
    ((float *)(void *)array)[i] = (float)x;
}

/* Keys with those that fill the last block. */
static inline uint64_t padded_keys(const rig *r) {
  const uint64_t block = (uint64_t)r->kernel->key_block;
  return ((uint64_t)r->keys + block - 1) / block * block;
}

static inline void pack(const rig *r, packed *p) {
  const int64_t n = r->kernel->pack, tile = r->kernel->tile, width = (r->head_dim + n - 1) / n * n;
  const uint64_t key = sr_key_bytes(r->kernel, r->head_dim), value = sr_value_bytes(r->kernel, r->value_dim);
  const uint64_t shift = (uint64_t)r->shift * sr_unit_bytes(r->kernel);
  p->q = place(p, key * (uint64_t)tile, shift);
  p->k = place(p, key * padded_keys(r), shift);
  p->v = place(p, value * padded_keys(r), shift);
  memset(p->q, 0, key * (uint64_t)tile);
  memset(p->k, 0, key * padded_keys(r));
  memset(p->v, 0, value * padded_keys(r));
  for (int64_t lane = 0; lane < tile; lane++)
    for (int64_t d = 0; d < r->head_dim; d++)
      put(r->kernel, p->q, (d / n * tile + lane) * n + d % n, r->q[lane * r->head_dim + d]);
  for (int64_t j = 0; j < r->keys; j++) {
    for (int64_t d = 0; d < r->head_dim; d++) put(r->kernel, p->k, j * width + d, r->k[j * r->head_dim + d]);
    for (int64_t d = 0; d < r->value_dim; d++)
      put(r->kernel, p->v, (j / n * r->value_dim + d) * n + j % n, r->v[j * r->value_dim + d]);
  }
}

/* Keys and values as the kernel takes them. */
static inline void arrange(const rig *r, packed *p) {
  if (!r->kernel->arrange) return;
  const uint64_t shift = (uint64_t)r->shift * sr_unit_bytes(r->kernel);
  char *k = place(p, sr_key_bytes(r->kernel, r->head_dim) * padded_keys(r), shift);
  char *v = place(p, sr_value_bytes(r->kernel, r->value_dim) * padded_keys(r), shift);
  r->kernel->arrange(p->k, p->v, r->head_dim, r->value_dim, (int32_t)padded_keys(r), k, v);
  p->k = k, p->v = v;
}

static inline void open_packed(const rig *r, packed *p) {
  const uint64_t shift = (uint64_t)r->shift * sr_unit_bytes(r->kernel);
  *p = (packed){.blocks = 0};
  pack(r, p);
  arrange(r, p);
  p->scratch = place(p, r->kernel->scratch_bytes, shift);
  for (int i = 0; i < SR_PARTIALS; i++)
    p->partial[i] = sr_partial_at(r->kernel, place(p, sr_partial_bytes(r->kernel, r->value_dim), shift));
  p->acc =
      sr_accumulator_at(r->kernel, r->value_dim,
                        place(p, sr_accumulator_bytes(r->kernel, r->value_dim), (uint64_t)r->shift * sizeof(double)));
}

static inline void close_packed(packed *p) {
  while (p->blocks > 0) free(p->block[--p->blocks]);
}

static inline int32_t clip(int64_t key) {
  return (int32_t)(key < 0 ? 0 : key > SEGMENT ? SEGMENT : key);
}

/* What bounds the size of each lane's scores in segment s. */
static inline void bound_scores(const rig *r, int s, double bound[SR_MAX_TILE]) {
  double longest = 0;
  for (int64_t j = (int64_t)s * SEGMENT; j < r->keys && j < (int64_t)(s + 1) * SEGMENT; j++)
    longest = fmax(longest, r->kernel->row->norm(SR_F64, r->k + j * r->head_dim, r->head_dim));
  for (int64_t i = 0; i < r->kernel->tile; i++) {
    const double length = r->kernel->row->norm(SR_F64, r->q + i * r->head_dim, r->head_dim);
    bound[i] = r->bounded[i] && !r->has_slopes ? length * longest * r->scale * SR_ROUNDED_UP : (double)INFINITY;
  }
}

/* Points a tile at segment s, from one of its keys on. */
static inline void point_at(const rig *r, const packed *p, int s, int32_t first_key, sr_tile *t) {
  const uint64_t key = (uint64_t)s * SEGMENT + (uint64_t)first_key;
  t->k = p->k + key * sr_key_bytes(r->kernel, r->head_dim);
  t->v = p->v + key * sr_value_bytes(r->kernel, r->value_dim);
  t->first_key = first_key;
}

/* Whether some lane sees some of segment s. */
static inline bool meet_segment(const rig *r, const packed *p, int s, const sr_partial *partial) {
  sr_tile t = {.q = p->q, .scale = r->scale, .head_dim = r->head_dim, .value_dim = r->value_dim, .finite = r->finite};
  t.has_slopes = r->has_slopes;
  bound_scores(r, s, t.bound);
  for (int i = 0; i < r->kernel->tile; i++) {
    t.lo[i] = clip(r->lo[i] - (int64_t)s * SEGMENT);
    t.hi[i] = clip(r->hi[i] - (int64_t)s * SEGMENT);
    t.slope[i] = r->slope[i], t.place[i] = (double)(r->place[i] - (int64_t)s * SEGMENT);
  }
  if (!sr_tile_extent(r->kernel, &t)) return false;
  r->kernel->begin(partial, r->value_dim, t.bound);
  point_at(r, p, s, 0, &t);
  r->kernel->meet(&t, (sr_keys){0, r->cut}, partial, p->scratch);
  point_at(r, p, s, r->cut, &t);
  r->kernel->meet(&t, (sr_keys){r->cut, SEGMENT}, partial, p->scratch);
  return true;
}

static inline void fold_segment(const rig *r, const packed *p, int s) {
  if (meet_segment(r, p, s, p->partial)) r->kernel->fold(p->partial, 1, r->value_dim, &p->acc);
}

/* Folds segments in the order that `order` gives, NULL for ascending. */
static inline void fold_segments(const rig *r, const packed *p, const int *order) {
  int pending = 0;
  for (int i = 0; i < r->segments; i++) {
    pending += meet_segment(r, p, order ? order[i] : i, &p->partial[pending]);
    if (pending == 0 || (i >= r->alone && i < r->segments - 1 && pending < SR_PARTIALS)) continue;
    r->kernel->fold(p->partial, pending, r->value_dim, &p->acc);
    pending = 0;
  }
}

/* What a tile gives: o [tile][value_dim] and lse [tile]. */
typedef struct result {
  double o[SR_MAX_TILE * WIDEST], lse[SR_MAX_TILE];
} result;

/* What an accumulator gives, which is used up. */
static inline void take(const rig *r, const sr_accumulator *acc, result *out) {
  static double rows[SR_MAX_TILE * WIDEST];
  r->kernel->divide(acc, r->value_dim);
  for (int32_t lane = 0; lane < r->kernel->tile; lane += SR_TURNED) {
    const int32_t left = r->kernel->tile - lane, n = left < SR_TURNED ? left : SR_TURNED;
    sr_accumulator_rows(r->kernel, r->value_dim, acc, lane, n, SR_F64, rows + lane * r->value_dim);
  }
  for (ptrdiff_t lane = 0, at = 0; lane < r->kernel->tile; lane++, at += r->value_dim)
    sr_accumulator_store(acc, (int32_t)lane, rows + at, sizeof *rows * (uint64_t)r->value_dim,
                         r->hi[lane] > r->lo[lane], out->o + at, SR_F64, out->lse + lane);
}

/* Folds the segments as fold_segments does. */
static inline void run(const rig *r, const int *order, result *out) {
  packed p;
  open_packed(r, &p);
  sr_accumulator_begin(r->kernel, &p.acc);
  fold_segments(r, &p, order);
  take(r, &p.acc, out);
  close_packed(&p);
}

/* Whether two runs gave a lane, or all of them, the same bits. */
static inline bool same_lane(const rig *r, int lane, const result *a, const result *b) {
  const ptrdiff_t at = (ptrdiff_t)lane * r->value_dim;
  return memcmp(a->o + at, b->o + at, sizeof(double) * (size_t)r->value_dim) == 0 &&
         memcmp(&a->lse[lane], &b->lse[lane], sizeof(double)) == 0;
}
static inline bool same_lanes(const rig *r, const result *a, const result *b) {
  bool same = true;
  for (int lane = 0; lane < r->kernel->tile; lane++) same &= same_lane(r, lane, a, b);
  return same;
}

/* A key at or beside the border of a block of keys of some kind: of a register block, a run, a key block, a segment. */
static inline int64_t random_border(const rig *r, uint64_t *random) {
  const int64_t sizes[] = {2, 4, 32, r->kernel->key_block, SEGMENT}, size = sizes[random_int(random, 0, 4)];
  const int64_t key = random_int(random, 0, r->keys / size + 1) * size + random_int(random, -1, 1);
  return key < 0 ? 0 : key > r->keys ? r->keys : key;
}

static inline int64_t random_key(const rig *r, uint64_t *random) {
  const int64_t key = random_int(random, -100, r->keys + 100);
  return key < 0 ? 0 : key > r->keys ? r->keys : key;
}

/* What each lane sees begins and ends anywhere, or at borders. */
static inline void random_ranges(rig *r, bool borders, uint64_t *random) {
  for (int i = 0; i < r->kernel->tile; i++) {
    const int64_t a = borders ? random_border(r, random) : random_key(r, random);
    const int64_t b = borders ? random_border(r, random) : random_key(r, random);
    r->lo[i] = a < b ? a : b;
    r->hi[i] = a < b ? b : a;
  }
}

/* Slopes of up to 1/100 in size, from anywhere on. */
static inline void random_slopes(rig *r, uint64_t *random) {
  r->has_slopes = true;
  for (int i = 0; i < r->kernel->tile; i++) {
    r->slope[i] = (double)random_int(random, -100, 100) / 1e4;
    r->place[i] = random_int(random, -10, r->keys + 10);
  }
}

/* A test of kernels exits with 77, skipped, where the instruction set that SEQRING_ISA names is not to be had. */
static inline int run_kernel_suite(const char *name, const test_case *tests) {
  if (getenv("SEQRING_ISA") && !sr_isa_name()) return 77;
  return run_suite(name, tests);
}

#endif
