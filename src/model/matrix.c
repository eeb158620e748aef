#include "matrix.h"

#include <cblas.h>
#include <string.h>

#include "base/blas.h"
#include "base/convert.h"

/* Rows of narrow elements that are widened at a time: they stay in the second-level cache. */
enum { PANEL = 128 };

/* What is used of OpenBLAS. */
static struct {
  __typeof__(cblas_sgemm) *sgemm;
  __typeof__(openblas_set_num_threads) *set_num_threads;
  __typeof__(openblas_get_config) *get_config;
} blas;

sr_status sr_matrix_prepare(void) {
  const sr_symbol symbols[] = {{"cblas_sgemm", &blas.sgemm},
                               {"openblas_set_num_threads", &blas.set_num_threads},
                               {"openblas_get_config", &blas.get_config}};
  sr_status status = sr_blas_load(SR_OPENBLAS, symbols, sizeof symbols / sizeof *symbols);
  if (status == SR_OK) blas.set_num_threads(1);
  return status;
}

const char *sr_matrix_kernels(void) {
  return blas.get_config();
}

int64_t sr_matrix_scratch(const sr_matrix *matrix) {
  return matrix->dtype == SR_F32 ? 0 : PANEL * matrix->columns;
}

static void from_int8(const sr_matrix *w, int64_t first, int64_t count, float *to) {
  const int8_t *from = (const int8_t *)w->elements + first * w->columns;
  for (int64_t r = 0; r < count; r++)
    for (int64_t c = 0; c < w->columns; c++, from++, to++) *to = w->scale[first + r] * (float)*from;
}

void sr_matrix_rows(const sr_matrix *w, int64_t first, int64_t count, float *to) {
  const char *from = (const char *)w->elements + (size_t)(first * w->columns) * sr_dtype_size(w->dtype);
  if (w->dtype == SR_I8)
    from_int8(w, first, count, to);
  else
    sr_to_f32(w->dtype, from, count * w->columns, to);
}

static void multiply(const float *w, int64_t rows, int64_t columns, const float *x, int64_t n, bool add, float *y,
                     int64_t y_row) {
  blas.sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)rows, (blasint)columns, 1, x,
             (blasint)columns, w, (blasint)columns, add ? 1 : 0, y, (blasint)y_row);
}

void sr_matrix_multiply(const sr_matrix *w, int64_t first, int64_t count, const float *bias, const float *x, int64_t n,
                        float *y, int64_t y_row, float *scratch) {
  for (int64_t t = 0; bias && t < n; t++) memcpy(y + t * y_row, bias + first, (size_t)count * sizeof *y);
  if (w->dtype == SR_F32) {
    multiply((const float *)w->elements + first * w->columns, count, w->columns, x, n, bias != NULL, y, y_row);
    return;
  }
  for (int64_t r = 0; r < count; r += PANEL) {
    const int64_t rows = count - r < PANEL ? count - r : PANEL;
    sr_matrix_rows(w, first + r, rows, scratch);
    multiply(scratch, rows, w->columns, x, n, bias != NULL, y + r, y_row);
  }
}
