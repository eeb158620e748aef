/* OpenBLAS. It is not linked, since it starts a thread a core when it is loaded, and they would take the cores from
 * ranks that have no use for it. */
#ifndef SR_BASE_BLAS_H
#define SR_BASE_BLAS_H

#include <seqring/status.h>

/* One of its functions, and where the address goes. */
typedef struct sr_symbol {
  const char *name;
  void *address; /* of a pointer to the function */
} sr_symbol;

/* Loads OpenBLAS for good, by the name that linking would record, with kernels that suit this processor, and finds all
 * functions. Not collective, and for one thread alone. Errors: SR_ERR_RESOURCE. */
sr_status sr_blas_load(const char *file, const sr_symbol *symbol, int n);

#endif
