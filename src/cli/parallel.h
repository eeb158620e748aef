/* How a command that runs on all ranks of a job begins and ends. */
#ifndef SR_CLI_PARALLEL_H
#define SR_CLI_PARALLEL_H

#include <mpi.h>
#include <stddef.h>

#include <seqring/status.h>

/* A command on all ranks, in parts. */
typedef struct sr_parallel {
  void *data;
  sr_status (*prepare)(void *data); /* on one process, before MPI_Init, since it may fork; may be NULL */
  sr_status (*run)(void *data, MPI_Comm comm, int rank); /* on all, when that has gone well */
  void (*end)(void *data);                               /* on all, in any case; may be NULL */
  void *shared;                                          /* rank 0's bytes, given to all in between */
  size_t shared_size;
} sr_parallel;

/* Runs it, and returns the exit status; a failure has been explained. */
int sr_parallel_run(const sr_parallel *command);

/* Ends a command whose failure every process sees alike, before MPI is started: one of them says why. Returns the exit
 * status. */
int sr_parallel_refuse(sr_status status);

#endif
