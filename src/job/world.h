/* All ranks of the program, for what it does outside a job. */
#ifndef SR_JOB_WORLD_H
#define SR_JOB_WORLD_H

#include <mpi.h>
#include <stdint.h>

#include <seqring/status.h>

/* A private copy of MPI_COMM_WORLD, which returns errors instead of aborting, and this rank in it. Collective. */
sr_status sr_world_open(MPI_Comm *comm, int *rank);

/* Copies bytes at data from rank 0 to all, when rank 0 has them: mine is its status, which becomes that of all ranks;
 * the other ranks' is not looked at. Collective. Errors: SR_ERR_MPI, or rank 0's. */
sr_status sr_world_share(MPI_Comm comm, sr_status mine, void *data, uint64_t bytes);

/* Makes the failure of one rank a failure of all. Collective. */
sr_status sr_world_agree(MPI_Comm comm, sr_status mine);

/* Frees the copy; accepts MPI_COMM_NULL. Collective. */
void sr_world_close(MPI_Comm *comm);

#endif
