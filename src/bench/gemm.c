#include "gemm.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

#include "base/blas.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "normal.h"

/* What is used of OpenBLAS. */
static struct {
  __typeof__(cblas_sgemm) *sgemm;
  __typeof__(cblas_dgemm) *dgemm;
  __typeof__(openblas_set_num_threads) *set_num_threads;
  __typeof__(openblas_get_config) *get_config;
  __typeof__(openblas_get_corename) *get_corename;
} blas;

sr_status sr_gemm_load(void) {
  const sr_symbol symbols[] = {{"cblas_sgemm", &blas.sgemm},
                               {"cblas_dgemm", &blas.dgemm},
                               {"openblas_set_num_threads", &blas.set_num_threads},
                               {"openblas_get_config", &blas.get_config},
                               {"openblas_get_corename", &blas.get_corename}};
  return sr_blas_load(SR_OPENBLAS, symbols, sizeof symbols / sizeof *symbols);
}

static const uint64_t elements = (uint64_t)SR_GEMM_SIZE * SR_GEMM_SIZE;

static sr_status make_matrix(sr_dtype dtype, uint64_t seed, int threads, void **matrix) {
  const sr_span all = {0, SR_GEMM_SIZE};
  const sr_rows rows = {.count = SR_GEMM_SIZE, .n_spans = 1, .span = &all};
  *matrix = sr_alloc(elements * sr_dtype_size(dtype));
  if (!*matrix) return sr_fail(SR_ERR_RESOURCE, "no memory for matrices of %d x %d", SR_GEMM_SIZE, SR_GEMM_SIZE);
  return sr_normal_fill(dtype, seed, &rows, SR_GEMM_SIZE, threads, *matrix);
}

sr_status sr_gemm_prepare(sr_dtype dtype, int threads, sr_gemm *gemm) {
  if (gemm->c && gemm->dtype == dtype) return SR_OK;
  sr_gemm_free(gemm);
  gemm->dtype = dtype;
  SR_TRY(make_matrix(dtype, 1, threads, &gemm->a));
  SR_TRY(make_matrix(dtype, 2, threads, &gemm->b));
  return make_matrix(dtype, 3, threads, &gemm->c);
}

double sr_gemm_rate(const sr_gemm *gemm, int threads) {
  const blasint n = SR_GEMM_SIZE;
  blas.set_num_threads(threads);
  double start = sr_now();
  if (gemm->dtype == SR_F64)
    blas.dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, gemm->a, n, gemm->b, n, 0, gemm->c, n);
  else
    blas.sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, gemm->a, n, gemm->b, n, 0, gemm->c, n);
  return 2.0 * (double)elements * SR_GEMM_SIZE / (sr_now() - start);
}

void sr_gemm_free(sr_gemm *gemm) {
  sr_free(gemm->a);
  sr_free(gemm->b);
  sr_free(gemm->c);
  *gemm = (sr_gemm){0};
}

/* The configuration reads "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...". */
void sr_gemm_library(char version[SR_GEMM_TEXT], char core[SR_GEMM_TEXT]) {
  const char *config = blas.get_config();
  config += strcspn(config, " ");
  config += strspn(config, " ");
  snprintf(version, SR_GEMM_TEXT, "%.*s", (int)strcspn(config, " "), config);
  snprintf(core, SR_GEMM_TEXT, "%s", blas.get_corename());
}
