/* The thin wall over MPI: what the rest of seqring says to other ranks, and nothing else.
 *
 * Every call returns SR_ERR_MPI when MPI reports an error; the communicator is useless from then on. Only the thread
 * that initialised MPI may call any of them.
 */
#ifndef SR_COMM_COMM_H
#define SR_COMM_COMM_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include <seqring/status.h>

/* Turns an MPI error into a status: SR_TRY(sr_mpi(MPI_Barrier(comm), "MPI_Barrier")). */
sr_status sr_mpi(int mpi_error, const char *call);

/* A private copy of comm that returns errors instead of aborting. Collective. */
sr_status sr_comm_dup(MPI_Comm comm, MPI_Comm *copy);

/* Frees a copy and sets it to MPI_COMM_NULL, which is accepted too. Collective. */
void sr_comm_free(MPI_Comm *copy);

/* This rank's number in comm, and how many ranks it has. Not collective. */
sr_status sr_comm_rank(MPI_Comm comm, int *rank);
sr_status sr_comm_size(MPI_Comm comm, int *ranks);

/* Makes the failure of one rank a failure of all: every rank passes its own status and gets that of the lowest rank
 * that failed, together with its text, and its host where rank 0 is on another. Collective. */
sr_status sr_agree(MPI_Comm comm, sr_status mine);

/* As sr_agree, of memory that every rank must have: "no memory " and what it is for. Collective. Errors:
 * SR_ERR_RESOURCE. */
sr_status sr_agree_memory(MPI_Comm comm, bool mine, const char *what_for);

/* The ranks of comm that share this rank's node; to be freed. Collective. */
sr_status sr_comm_node(MPI_Comm comm, MPI_Comm *node);

/* How many they are. Collective. */
sr_status sr_comm_node_ranks(MPI_Comm comm, int *local_ranks);

/* node_of[0..ranks) becomes the node of each rank: 0 and up, in the order of their first ranks. Collective. */
sr_status sr_comm_nodes(MPI_Comm comm, int ranks, int *node_of);

/* A communicator of the ranks that pass the same color, in the order of comm. Collective. */
sr_status sr_comm_split(MPI_Comm comm, int color, MPI_Comm *part);

/* Returns when all ranks have come so far. Collective. */
sr_status sr_comm_barrier(MPI_Comm comm);

/* Elements that one message carries at most, and bytes of a reduction or a broadcast. Tests lower it, before anything
 * is made, to meet the code for more. */
int sr_comm_count_limit(void);
void sr_comm_set_count_limit(int limit);

/* bits[0..bytes) becomes the bitwise or of all ranks' bits. Collective. */
sr_status sr_comm_or(MPI_Comm comm, void *bits, uint64_t bytes);

/* value[0..n) becomes the sum, or the largest, of all ranks' values. Collective. */
sr_status sr_comm_sum(MPI_Comm comm, double *value, int64_t n);
sr_status sr_comm_max(MPI_Comm comm, double *value, int64_t n);
sr_status sr_comm_sum_i64(MPI_Comm comm, int64_t *value, int64_t n);
sr_status sr_comm_max_i64(MPI_Comm comm, int64_t *value, int64_t n);

/* pair[0..2n) are n unevaluated sums of two doubles, high part first; each becomes the sum of all ranks', whose low
 * part is rounded. Collective. */
sr_status sr_comm_sum_pairs(MPI_Comm comm, double *pair, int64_t n);

/* *alike tells whether all ranks' value[0..n) are the same. Collective. */
sr_status sr_comm_alike(MPI_Comm comm, const int64_t *value, int n, bool *alike);

/* Likewise of a text, of which a digest is compared. Collective. */
sr_status sr_comm_alike_text(MPI_Comm comm, const char *text, bool *alike);

/* all[rank] becomes each rank's piece of so many bytes, at root; all is not looked at elsewhere. Collective. */
sr_status sr_comm_gather(MPI_Comm comm, const void *piece, int bytes, void *all, int root);

/* Copies bytes at data from rank root to all. Collective. */
sr_status sr_comm_bcast(MPI_Comm comm, void *data, uint64_t bytes, int root);

#endif
