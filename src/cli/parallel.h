/* How a command that runs on all ranks of a job begins and ends. */
#ifndef SR_CLI_PARALLEL_H
#define SR_CLI_PARALLEL_H

#include <seqring/status.h>

/* Ends a command whose failure every process sees alike, before MPI is started: one of them says why. Returns the exit
 * status. */
int sr_parallel_refuse(sr_status status);

/* Starts MPI. Returns 0, or the exit status after one process has said why it cannot be had. */
int sr_parallel_start(void);

/* Ends it: status, which the ranks agree on, is explained by rank 0, and standard output is seen to have arrived. After
 * SR_ERR_MPI, of which one rank alone may know, ends the processes of the whole job. Returns the exit status. */
int sr_parallel_finish(int rank, sr_status status);

#endif
