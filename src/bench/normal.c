#include "normal.h"

#include <math.h>

#include "base/convert.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

/* Elements are drawn from this many values, which are drawn from the normal distribution: converting each element of a
 * long sequence to a small type would take longer than attention over it. */
enum { VALUES = 65536 };

typedef struct source {
  uint64_t seed;
  size_t size; /* of an element */
  void *value; /* [VALUES] */
} source;

/* Box and Muller, Annals of Mathematical Statistics 29, 1958. */
static void draw_values(sr_dtype dtype, source *from) {
  for (uint64_t i = 0; i < VALUES; i++) {
    double u = sr_random_unit(from->seed, 2 * i) + 0x1p-54; /* never 0 */
    double turn = sr_random_unit(from->seed, 2 * i + 1);
    double value = sqrt(-2 * log(u)) * cos(2 * M_PI * turn);
    sr_store(dtype, (char *)from->value + i * from->size, value);
  }
}

static inline void put(const source *from, void *row, int64_t i, uint16_t pick) {
  switch (from->size) {
  case sizeof(uint16_t):
    ((uint16_t *)row)[i] = ((const uint16_t *)from->value)[pick];
    break;
  case sizeof(uint32_t):
    ((uint32_t *)row)[i] = ((const uint32_t *)from->value)[pick];
    break;
  case sizeof(uint64_t):
    ((uint64_t *)row)[i] = ((const uint64_t *)from->value)[pick];
    break;
  }
}

/* Four elements of 64 random bits. */
static void fill_row(const source *from, int64_t token, int64_t width, void *row) {
  uint64_t n = (uint64_t)token * (uint64_t)((width + 3) / 4) + 2 * VALUES;
  for (int64_t i = 0; i < width; i += 4) {
    uint64_t bits = sr_random_bits(from->seed, n++);
    for (int64_t j = i; j < i + 4 && j < width; j++, bits >>= 16) put(from, row, j, (uint16_t)bits);
  }
}

sr_status sr_normal_fill(sr_dtype dtype, uint64_t seed, const sr_rows *rows, int64_t width, int threads, void *to) {
  source from = {.seed = sr_random_bits(seed, 0), .size = sr_dtype_size(dtype)};
  from.value = sr_alloc(VALUES * from.size);
  if (!from.value) return sr_fail(SR_ERR_RESOURCE, "no memory for %d random numbers", VALUES);
  draw_values(dtype, &from);
  char *at = to;
  const uint64_t row_bytes = (uint64_t)width * from.size;
  for (int s = 0; s < rows->n_spans; s++) {
    sr_span span = rows->span[s];
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < span.count; i++) fill_row(&from, span.start + i, width, at + (uint64_t)i * row_bytes);
    at += (uint64_t)span.count * row_bytes;
  }
  sr_free(from.value);
  return SR_OK;
}
