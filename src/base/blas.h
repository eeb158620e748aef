/* OpenBLAS, loaded when it is needed: it starts a thread a core when it is loaded, and they would take the cores from
 * ranks that have no use for it. */
#ifndef SR_BASE_BLAS_H
#define SR_BASE_BLAS_H

#include <cblas.h>

#include <seqring/status.h>

/* What is used of it. */
typedef struct sr_blas {
  __typeof__(cblas_sgemm) *sgemm;
  __typeof__(cblas_dgemm) *dgemm;
  __typeof__(openblas_set_num_threads) *set_num_threads;
  __typeof__(openblas_get_config) *get_config;
  __typeof__(openblas_get_corename) *get_corename;
} sr_blas;

/* Loads it, once. Errors: SR_ERR_RESOURCE. */
sr_status sr_blas_load(const sr_blas **blas);

#endif
