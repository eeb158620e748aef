/* A problem whose whole tensors every rank can make for itself, and its run on any communicator. */
#ifndef TESTS_MPI_PROBLEM_H
#define TESTS_MPI_PROBLEM_H

#include <math.h>
#include <seqring/seqring.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Whole tensors: q [q_len][q_heads][head_dim] and so on, of options.dtype. */
typedef struct problem {
  sr_options options;
  char *q, *k, *v;
  char *q_sinks; /* as q, or NULL */
} problem;

/* One rank's output: its rows, one span behind the other. */
typedef struct output {
  sr_plan *plan;
  sr_rows q_rows, kv_rows;
  char *q, *k, *v, *o, *lse, *q_sinks;
  size_t o_bytes, lse_bytes;
} output;

static inline uint64_t problem_random(uint64_t *state) {
  *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1d;
}

static inline int64_t problem_int(uint64_t *state, int64_t lo, int64_t hi) {
  return lo + (int64_t)(problem_random(state) % (uint64_t)(hi - lo + 1));
}

/* Uniform in [-2, 2), a multiple of 2^-5, so that every element type holds it exactly. */
static inline double problem_value(uint64_t *state) {
  return (double)(problem_random(state) >> 57) / 32 - 2;
}

static inline void problem_set(sr_dtype dtype, char *tensor, int64_t i, double x) {
  float f = (float)x;
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  if (dtype == SR_F64) memcpy(tensor + 8 * i, &x, 8);
  if (dtype == SR_F32) memcpy(tensor + 4 * i, &f, 4);
  if (dtype == SR_BF16) memcpy(tensor + 2 * i, (uint16_t[]){(uint16_t)(bits >> 16)}, 2);
  if (dtype != SR_F16) return;
  int32_t exponent =
      (int32_t)(bits >> 23 & 255) - 127 + 15; /* of a normal half: problem_value gives 0 or at least 2^-5 */
  uint16_t half = x == 0 ? 0 : (uint16_t)((bits >> 16 & 0x8000) | ((uint32_t)exponent << 10) | (bits >> 13 & 0x3ff));
  memcpy(tensor + 2 * i, &half, 2);
}

static inline char *problem_tensor(sr_dtype dtype, int64_t n, uint64_t *state) {
  char *tensor = malloc((size_t)n * sr_dtype_size(dtype));
  for (int64_t i = 0; i < n; i++) problem_set(dtype, tensor, i, problem_value(state));
  return tensor;
}

static inline void problem_fill(problem *p, uint64_t seed) {
  const sr_options *o = &p->options;
  seed = seed * 2 + 1;
  p->q = problem_tensor(o->dtype, o->q_len * o->q_heads * o->head_dim, &seed);
  p->k = problem_tensor(o->dtype, o->kv_len * o->kv_heads * o->head_dim, &seed);
  p->v = problem_tensor(o->dtype, o->kv_len * o->kv_heads * o->value_dim, &seed);
  if (o->sink_queries) p->q_sinks = problem_tensor(o->dtype, o->q_len * o->q_heads * o->head_dim, &seed);
}

static inline void problem_free(problem *p) {
  free(p->q), free(p->k), free(p->v), free(p->q_sinks);
}

static inline char *rows_of(const char *tensor, size_t row_bytes, const sr_rows *rows) {
  char *mine = malloc(row_bytes * (size_t)rows->count + 1), *at = mine;
  for (int s = 0; s < rows->n_spans; s++) {
    size_t bytes = row_bytes * (size_t)rows->span[s].count;
    memcpy(at, tensor + row_bytes * (size_t)rows->span[s].start, bytes);
    at += bytes;
  }
  return mine;
}

static inline sr_tensors tensors_of(const output *out) {
  return (sr_tensors){.q = out->q, .k = out->k, .v = out->v, .o = out->o, .lse = out->lse, .q_sinks = out->q_sinks};
}

/* Makes a plan, cuts this rank's rows, runs the forward. The output is to be closed in any case. */
static inline sr_status problem_run(const problem *p, MPI_Comm comm, output *out) {
  const sr_options *o = &p->options;
  *out = (output){0};
  sr_status status = sr_plan_create(comm, o, &out->plan);
  if (status != SR_OK) return status;
  size_t e = sr_dtype_size(o->dtype), heads = (size_t)o->q_heads;
  sr_plan_q_rows(out->plan, &out->q_rows);
  sr_plan_kv_rows(out->plan, &out->kv_rows);
  out->q = rows_of(p->q, heads * (size_t)o->head_dim * e, &out->q_rows);
  if (p->q_sinks) out->q_sinks = rows_of(p->q_sinks, heads * (size_t)o->head_dim * e, &out->q_rows);
  out->k = rows_of(p->k, (size_t)(o->kv_heads * o->head_dim) * e, &out->kv_rows);
  out->v = rows_of(p->v, (size_t)(o->kv_heads * o->value_dim) * e, &out->kv_rows);
  out->o_bytes = (size_t)out->q_rows.count * heads * (size_t)o->value_dim * sr_dtype_size(o->out_dtype);
  out->lse_bytes = (size_t)out->q_rows.count * heads * (o->dtype == SR_F64 ? 8 : 4);
  out->o = calloc(out->o_bytes + 1, 1);
  out->lse = calloc(out->lse_bytes + 1, 1);
  sr_tensors t = tensors_of(out);
  return sr_plan_forward(out->plan, &t);
}

static inline void output_close(output *out) {
  sr_plan_destroy(&out->plan);
  free(out->q), free(out->k), free(out->v), free(out->o), free(out->lse), free(out->q_sinks);
}

/* True when this rank's rows of out are those of the whole output. */
static inline int same_bits(const problem *p, const output *out, const output *whole) {
  size_t o_row = whole->o_bytes / (size_t)p->options.q_len, lse_row = whole->lse_bytes / (size_t)p->options.q_len;
  char *o = rows_of(whole->o, o_row, &out->q_rows), *lse = rows_of(whole->lse, lse_row, &out->q_rows);
  int same = memcmp(o, out->o, out->o_bytes) == 0 && memcmp(lse, out->lse, out->lse_bytes) == 0;
  free(o), free(lse);
  return same;
}

#endif
