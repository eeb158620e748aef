/* The units of a text that have the largest values. */
#ifndef SR_JOB_RANKING_H
#define SR_JOB_RANKING_H

#include <mpi.h>

#include "model/text.h"

typedef struct sr_ranked {
  int64_t unit;
  double value;
} sr_ranked;

/* A unit that is reported. */
typedef struct sr_run_unit {
  int64_t question; /* that it was found for, or -1 */
  sr_ranked ranked;
  int64_t from, to; /* bytes, counted over all texts; to: where the next unit begins, or INT64_MAX */
} sr_run_unit;

/* top[0..*found) on rank 0: of all ranks' units, each with its value, the n largest ones, the largest first, of equals
 * that of the lowest number; NaN counts as none. top has room for n on every rank. Collective. Errors: SR_ERR_RESOURCE,
 * SR_ERR_MPI. */
sr_status sr_rank_units(MPI_Comm comm, const sr_numbers *unit, const float *value, int64_t n, sr_ranked *top,
                        int64_t *found);

#endif
