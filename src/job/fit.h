/* Whether the ranks of a job fit their nodes: threads on cores, and bytes in memory. */
#ifndef SR_JOB_FIT_H
#define SR_JOB_FIT_H

#include <mpi.h>

#include <seqring/status.h>

#include "events.h"
#include "placement.h"

typedef struct sr_fit {
  sr_placement placement; /* of this rank */
  int local_ranks;        /* that share its node */
  int own_threads;        /* that this rank would have by itself */
} sr_fit;

/* As sr_placement_find, but every rank gets the threads of the rank with the fewest, so that none finishes long before
 * another. Collective. Errors: those of sr_placement_find, SR_ERR_MPI. */
sr_status sr_fit_threads(MPI_Comm comm, int wanted, sr_fit *fit);

/* Warns of ranks that have fewer cores than threads and will be slow, or could have more threads than others.
 * Collective. */
sr_status sr_fit_warn(MPI_Comm comm, const sr_fit *fit, const sr_job_events *events);

/* Refuses what needs more memory than its nodes have: each rank's own bytes, and those that the ranks of a node share.
 * name begins the message. Collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_fit_memory(MPI_Comm comm, const sr_fit *fit, double own, double shared, const char *name);

#endif
