#include "pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"

/* Rows between multiples of it are on one rank, and are summed first, so that sums are a text's and not a shard's. */
enum { PART = SR_SEGMENT };

typedef struct pool {
  const sr_pool_spec *spec;
  double *table; /* [pieces, width] sums of units that have rows of several parts, unit by unit, from all ranks */
} pool;

static int64_t end_of(sr_span span) {
  return span.start + span.count;
}

/* Pieces of a unit in the table: its spans, cut at parts, where they are several. */
static int64_t pieces_of(const sr_pool_spec *s, const sr_unit *u) {
  int64_t n = 0;
  for (int64_t i = u->first; i < u->first + u->n; i++)
    n += (end_of(s->span[i]) - 1) / PART - s->span[i].start / PART + 1;
  return n > 1 ? n : 0;
}

/* Adds what counts of a unit's rows [from, to), which are of one part; nothing where they are on another rank. */
static void add(const pool *p, const sr_unit *u, int64_t from, int64_t to, double *sum) {
  const sr_pool_spec *s = p->spec;
  const int64_t row = sr_rows_find(s->rows, from), last = end_of(s->span[u->first + u->n - 1]) - 1;
  const int64_t first = s->kind == SR_POOLING_LAST ? last : from, end = s->kind == SR_POOLING_FIRST ? u->at + 1 : to;
  for (int64_t t = from; row >= 0 && t < to; t++) {
    const float *x = s->values + (row + t - from) * s->width;
    for (int64_t i = 0; t >= first && t < end && i < s->width; i++) sum[i] += (double)x[i];
  }
}

/* Adds a unit's pieces, each to a sum of its own. */
static void add_pieces(const pool *p, const sr_unit *u, double *sum) {
  for (int64_t i = u->first; i < u->first + u->n; i++)
    for (int64_t from = p->spec->span[i].start, end = end_of(p->spec->span[i]), to; from < end; from = to) {
      to = (from / PART + 1) * PART < end ? (from / PART + 1) * PART : end;
      add(p, u, from, to, sum);
      sum += p->spec->width;
    }
}

/* Fills this rank's part of the table in; the rest stays 0. */
static void fill_table(const pool *p) {
  const sr_pool_spec *s = p->spec;
  double *at = p->table;
  for (int64_t i = 0; i < s->units; i++) {
    const int64_t n = pieces_of(s, &s->unit[i]);
    if (n > 0) add_pieces(p, &s->unit[i], at);
    at += n * s->width;
  }
}

static sr_status make_table(MPI_Comm comm, pool *p) {
  const sr_pool_spec *s = p->spec;
  uint64_t pieces = 0;
  for (int64_t i = 0; i < s->units; i++) pieces += (uint64_t)pieces_of(s, &s->unit[i]);
  const uint64_t bytes = pieces * (uint64_t)s->width * sizeof(double);
  if (bytes == 0) return SR_OK;
  p->table = calloc(1, bytes);
  SR_TRY(sr_agree_memory(comm, p->table != NULL, "to pool long units"));
  fill_table(p);
  return sr_comm_or(comm, p->table, bytes);
}

/* The mean of the sums, where they are of several rows, at unit length where that is wanted. */
static void finish(const sr_pool_spec *s, const sr_unit *u, double *sum, float *to) {
  double square = 0, factor = 1;
  int64_t rows = 0;
  for (int64_t i = u->first; i < u->first + u->n; i++) rows += s->span[i].count;
  if (s->kind == SR_POOLING_MEAN && rows > 0) factor = 1 / (double)rows;
  for (int64_t i = 0; i < s->width; i++) sum[i] *= factor, square += sum[i] * sum[i];
  const double length = s->normalised && square > 0 ? sqrt(square) : 1;
  for (int64_t i = 0; i < s->width; i++) to[i] = rows > 0 ? (float)(sum[i] / length) : s->none;
}

/* The units that begin on this rank. */
static bool find_units(const sr_pool_spec *s, sr_numbers *mine) {
  for (int64_t i = 0; i < s->units; i++) {
    const int64_t from = s->unit[i].at, row = from < s->n ? from : s->n - 1;
    if (sr_rows_find(s->rows, row) >= 0 && !sr_numbers_add(mine, i)) return false;
  }
  return true;
}

/* Pools this rank's units; sum has room for one. */
static void pool_units(const pool *p, double *sum, const sr_pooled *pooled) {
  const sr_pool_spec *s = p->spec;
  const double *table = p->table;
  int64_t next = 0;
  for (int64_t i = 0; i < s->units; i++) {
    const sr_unit *u = &s->unit[i];
    const int64_t pieces = pieces_of(s, u);
    if (next < pooled->unit.n && pooled->unit.number[next] == i) {
      memset(sum, 0, (size_t)s->width * sizeof *sum);
      if (pieces == 0) add_pieces(p, u, sum);
      for (int64_t j = 0; j < pieces * s->width; j++) sum[j % s->width] += table[j];
      finish(s, u, sum, pooled->values + next++ * s->width);
    }
    if (pieces > 0) table += pieces * s->width;
  }
}

sr_status sr_pool(MPI_Comm comm, const sr_pool_spec *spec, sr_pooled *pooled) {
  pool p = {.spec = spec};
  *pooled = (sr_pooled){0};
  double *sum = calloc((size_t)spec->width, sizeof *sum);
  bool there = sum && find_units(spec, &pooled->unit);
  if (there) pooled->values = malloc((size_t)(pooled->unit.n * spec->width) * sizeof(float) + 1);
  there = there && pooled->values;
  sr_status status = sr_agree_memory(comm, there, "to pool");
  if (status == SR_OK) status = make_table(comm, &p);
  if (status == SR_OK) pool_units(&p, sum, pooled);
  free(p.table);
  free(sum);
  return status;
}

void sr_pooled_free(sr_pooled *pooled) {
  free(pooled->unit.number);
  free(pooled->values);
  *pooled = (sr_pooled){0};
}
