/* Hidden states of units made into one vector each. */
#ifndef SR_JOB_POOL_H
#define SR_JOB_POOL_H

#include <mpi.h>

#include <seqring/types.h>

#include "model/description.h"
#include "reading.h"

/* What is pooled on this rank. */
typedef struct sr_pooled {
  sr_numbers unit;  /* those that begin on this rank, ascending */
  float *embedding; /* [unit.n, width] */
} sr_pooled;

/* Pools hidden [rows, width] of this rank's rows, which are cut at multiples of 1,024: the mean, the first or the last
 * of a unit's tokens, divided by its length where the model wants that; 0 where a unit has no token. Units begin on the
 * rank of their first token, without one on the last token's. Bits do not depend on the number of ranks. To be freed in
 * any case. Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_pool(MPI_Comm comm, const sr_description *model, const sr_reading *reading, const sr_rows *rows,
                  int64_t width, const float *hidden, sr_pooled *pooled);
void sr_pooled_free(sr_pooled *pooled);

#endif
