/* One quantity over all ranks. */
#ifndef SR_JOB_SPREAD_H
#define SR_JOB_SPREAD_H

#include <mpi.h>

#include <seqring/status.h>

typedef struct sr_spread {
  double min, mean, max;
} sr_spread;

/* Of every rank's own value. Collective. */
sr_status sr_spread_find(MPI_Comm comm, double mine, sr_spread *spread);

#endif
