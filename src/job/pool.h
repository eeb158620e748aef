/* Hidden states of units made into one vector each. */
#ifndef SR_JOB_POOL_H
#define SR_JOB_POOL_H

#include <mpi.h>

#include <seqring/types.h>

#include "model/description.h"
#include "model/text.h"

/* Rows of all ranks: n spans from one on. */
typedef struct sr_unit {
  int64_t at; /* the first row, or where it would be */
  int64_t first, n;
} sr_unit;

/* What is to be pooled: this rank's rows of `values` [rows, width], which are cut at multiples of SR_SEGMENT. */
typedef struct sr_pool_spec {
  sr_pooling kind;
  bool normalised;  /* a unit's vector is divided by its length */
  int64_t n, units; /* rows of all ranks, and units, ascending and apart from one another */
  const sr_unit *unit;
  const sr_span *span; /* of all units, of one row at least */
  const sr_rows *rows;
  int64_t width;
  const float *values;
  float none; /* what a unit without rows gets */
} sr_pool_spec;

/* What is pooled on this rank. */
typedef struct sr_pooled {
  sr_numbers unit; /* those that begin on this rank, ascending */
  float *values;   /* [unit.n, width] */
} sr_pooled;

/* The mean, the first or the last of each unit's rows, or `none`. Units begin on the rank of their first row,
 * without one on that of the row where they would begin. Bits do not depend on the number of ranks. To be freed in any
 * case. Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_pool(MPI_Comm comm, const sr_pool_spec *spec, sr_pooled *pooled);
void sr_pooled_free(sr_pooled *pooled);

#endif
