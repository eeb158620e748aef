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

/* bytes for all ranks of comm, which share a node. A page lies near the rank that first writes to it. Collective.
 * Errors: SR_ERR_RESOURCE, where there is less than that or Open MPI has no shared windows; SR_ERR_MPI. */
sr_status sr_shared_create(MPI_Comm comm, uint64_t bytes, sr_shared *shared);

/* Frees the memory; one that was not made, with a window of MPI_WIN_NULL, is accepted. Collective. */
void sr_shared_destroy(sr_shared *shared);

/* Bytes that the ranks of comm on this node can still share, 0 where Open MPI gives them none. Makes a small window to
 * see. node: as sr_comm_nodes tells it. Collective. Errors: SR_ERR_MPI. */
sr_status sr_shared_room(MPI_Comm comm, int node, uint64_t *room);

/* Returns when all ranks have come so far; each then sees what any of them wrote before. Collective. */
sr_status sr_shared_meet(MPI_Comm comm, const sr_shared *shared);

#endif
