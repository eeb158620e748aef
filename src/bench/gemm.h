/* A large matrix product by OpenBLAS: what a tuned kernel reaches on this machine. */
#ifndef SR_BENCH_GEMM_H
#define SR_BENCH_GEMM_H

#include <seqring/status.h>
#include <seqring/types.h>

/* Rows and columns of each matrix. */
enum { SR_GEMM_SIZE = 2048 };

/* c = a b, in float32 or float64. Starts zeroed. */
typedef struct sr_gemm {
  sr_dtype dtype;
  void *a, *b, *c; /* [SR_GEMM_SIZE][SR_GEMM_SIZE] */
} sr_gemm;

/* Loads OpenBLAS, before any other call. Errors: SR_ERR_RESOURCE. */
sr_status sr_gemm_load(void);

/* Makes matrices of dtype, unless gemm has them. Free them with sr_gemm_free in every case. Errors: SR_ERR_RESOURCE. */
sr_status sr_gemm_prepare(sr_dtype dtype, int threads, sr_gemm *gemm);

/* Multiplies once on this many threads; returns floating-point operations a second. */
double sr_gemm_rate(const sr_gemm *gemm, int threads);

void sr_gemm_free(sr_gemm *gemm);

/* OpenBLAS's version, and its name for the processor that its kernels are for. */
enum { SR_GEMM_TEXT = 64 };
void sr_gemm_library(char version[SR_GEMM_TEXT], char core[SR_GEMM_TEXT]);

#endif
