#include "pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "comm/comm.h"

/* Tokens at multiples of it are on one rank, and are summed first, so that sums are a text's and not a shard's. */
enum { PART = 1024 };

typedef struct pool {
  sr_pooling kind;
  const sr_reading *reading;
  const sr_rows *rows;
  int64_t width;
  const float *hidden;
  double *table; /* [pieces, width] sums of units that have tokens of several parts, unit by unit, from all ranks */
} pool;

/* Tokens of a unit. */
typedef struct unit {
  int64_t from, to;
} unit;

static unit unit_at(const sr_reading *r, int64_t i) {
  return (unit){r->units.number[i], i + 1 < r->units.n ? r->units.number[i + 1] : r->n};
}

/* Pieces of a unit in the table. */
static int64_t pieces_of(unit u) {
  const int64_t parts = u.to > u.from ? (u.to - 1) / PART - u.from / PART + 1 : 0;
  return parts > 1 ? parts : 0;
}

/* This rank's row of a token, or -1. */
static int64_t row_of(const sr_rows *rows, int64_t token) {
  int64_t row = 0;
  for (int i = 0; i < rows->n_spans; i++) {
    const sr_span span = rows->span[i];
    if (token >= span.start && token < span.start + span.count) return row + token - span.start;
    row += span.count;
  }
  return -1;
}

/* Adds what counts of a unit's tokens [from, to), which are of one part; nothing where they are on another rank. */
static void add(const pool *p, unit u, int64_t from, int64_t to, double *sum) {
  const int64_t row = row_of(p->rows, from);
  const int64_t first = p->kind == SR_POOLING_LAST ? u.to - 1 : u.from;
  const int64_t end = p->kind == SR_POOLING_FIRST ? u.from + 1 : u.to;
  for (int64_t t = from; row >= 0 && t < to; t++) {
    const float *x = p->hidden + (row + t - from) * p->width;
    for (int64_t i = 0; t >= first && t < end && i < p->width; i++) sum[i] += (double)x[i];
  }
}

/* Fills this rank's part of the table in; the rest stays 0. */
static void fill_table(const pool *p) {
  double *at = p->table;
  for (int64_t i = 0; i < p->reading->units.n; i++) {
    const unit u = unit_at(p->reading, i);
    const int64_t n = pieces_of(u), part = u.from / PART;
    for (int64_t piece = 0; piece < n; piece++, at += p->width) {
      const int64_t from = piece == 0 ? u.from : (part + piece) * PART, end = (part + piece + 1) * PART;
      add(p, u, from, end < u.to ? end : u.to, at);
    }
  }
}

static sr_status make_table(MPI_Comm comm, pool *p) {
  uint64_t pieces = 0;
  for (int64_t i = 0; i < p->reading->units.n; i++) pieces += (uint64_t)pieces_of(unit_at(p->reading, i));
  const uint64_t bytes = pieces * (uint64_t)p->width * sizeof(double);
  if (bytes == 0) return SR_OK;
  p->table = calloc(1, bytes);
  const bool there = p->table != NULL;
  SR_TRY(sr_agree(comm, there ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to pool long units")));
  fill_table(p);
  return sr_comm_or(comm, p->table, bytes);
}

/* The mean of the sums, where they are of several tokens, at unit length where the model wants it. */
static void finish(const sr_description *model, unit u, int64_t width, double *sum, float *to) {
  double square = 0, factor = 1;
  if (model->pooling == SR_POOLING_MEAN && u.to > u.from) factor = 1 / (double)(u.to - u.from);
  for (int64_t i = 0; i < width; i++) sum[i] *= factor, square += sum[i] * sum[i];
  const double length = model->normalised && square > 0 ? sqrt(square) : 1;
  for (int64_t i = 0; i < width; i++) to[i] = (float)(sum[i] / length);
}

/* The units that begin on this rank. */
static bool find_units(const pool *p, sr_numbers *mine) {
  const sr_reading *r = p->reading;
  for (int64_t i = 0; i < r->units.n; i++) {
    const int64_t from = unit_at(r, i).from, token = from < r->n ? from : r->n - 1;
    if (row_of(p->rows, token) >= 0 && !sr_numbers_add(mine, i)) return false;
  }
  return true;
}

/* Pools this rank's units; sum has room for one. */
static void pool_units(const pool *p, const sr_description *model, double *sum, const sr_pooled *pooled) {
  const double *table = p->table;
  int64_t next = 0;
  for (int64_t i = 0; i < p->reading->units.n; i++) {
    const unit u = unit_at(p->reading, i);
    const int64_t pieces = pieces_of(u);
    if (next < pooled->unit.n && pooled->unit.number[next] == i) {
      memset(sum, 0, (size_t)p->width * sizeof *sum);
      if (pieces == 0 && u.to > u.from) add(p, u, u.from, u.to, sum);
      for (int64_t j = 0; j < pieces * p->width; j++) sum[j % p->width] += table[j];
      finish(model, u, p->width, sum, pooled->embedding + next++ * p->width);
    }
    if (pieces > 0) table += pieces * p->width;
  }
}

sr_status sr_pool(MPI_Comm comm, const sr_description *model, const sr_reading *reading, const sr_rows *rows,
                  int64_t width, const float *hidden, sr_pooled *pooled) {
  pool p = {model->pooling, reading, rows, width, hidden, NULL};
  *pooled = (sr_pooled){0};
  double *sum = calloc((size_t)width, sizeof *sum);
  bool there = sum && find_units(&p, &pooled->unit);
  if (there) pooled->embedding = malloc((size_t)(pooled->unit.n * width) * sizeof(float) + 1);
  there = there && pooled->embedding;
  sr_status status = sr_agree(comm, there ? SR_OK : sr_fail(SR_ERR_RESOURCE, "no memory to pool"));
  if (status == SR_OK) status = make_table(comm, &p);
  if (status == SR_OK) pool_units(&p, model, sum, pooled);
  free(p.table);
  free(sum);
  return status;
}

void sr_pooled_free(sr_pooled *pooled) {
  free(pooled->unit.number);
  free(pooled->embedding);
  *pooled = (sr_pooled){0};
}
