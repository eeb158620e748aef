/* What a benchmark runs on. */
#ifndef SR_BENCH_MACHINE_H
#define SR_BENCH_MACHINE_H

#include <mpi.h>

#include <seqring/status.h>

#include "gemm.h"

typedef struct sr_machine {
  char processor[128]; /* "unknown" where the system does not tell */
  const char *isa;     /* instruction set of the kernels */
  char blas_version[SR_GEMM_TEXT], blas_core[SR_GEMM_TEXT];
  int ranks;
} sr_machine;

/* Loads OpenBLAS for it. Not collective. Errors: SR_ERR_ARGUMENT (SEQRING_ISA), SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_machine_describe(MPI_Comm comm, sr_machine *machine);

#endif
