/* What a process knows of its job before MPI_Init. */
#ifndef SR_CLI_LAUNCHER_H
#define SR_CLI_LAUNCHER_H

/* This process's place in the job, from the variables that mpirun, srun and others set; -1 when there are none. */
int sr_launcher_rank(void);

/* A launcher ends the whole job as soon as one process fails. So a failing process which leaves the message to another
 * one waits a moment here. Call it before an exit without MPI_Init. */
void sr_launcher_stand_back(void);

/* When all ranks of an mpirun job are on one node, tells Open MPI to use shared memory without looking for networks
 * first, which takes most of MPI_Init's time; a choice of the user's (--mca pml) stands. Call it before MPI_Init. */
void sr_launcher_hint_mpi(void);

#endif
