/* Memory that the ranks of one node share. */
#ifndef SR_COMM_SHARED_H
#define SR_COMM_SHARED_H

#include <mpi.h>
#include <stdint.h>

#include <seqring/status.h>

typedef struct sr_shared {
  MPI_Win window;
  char *memory; /* aligned as sr_alloc's */
} sr_shared;

/* Bytes of memory that ranks of this node can still share; 0 where Open MPI has no folder for it. Not collective. */
uint64_t sr_shared_room(void);

/* bytes for all ranks of comm, which share a node. A page lies near the rank that first writes to it. Collective.
 * Errors: SR_ERR_MPI. */
sr_status sr_shared_create(MPI_Comm comm, uint64_t bytes, sr_shared *shared);

/* Frees the memory; one that was not made, with a window of MPI_WIN_NULL, is accepted. Collective. */
void sr_shared_destroy(sr_shared *shared);

/* Returns when all ranks have come so far; each then sees what any of them wrote before. Collective. */
sr_status sr_shared_meet(MPI_Comm comm, const sr_shared *shared);

#endif
