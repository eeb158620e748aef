/* Rows in pieces of a bounded size, so that a failure on one rank ends the work on all of them soon. */
#ifndef SR_JOB_PIECES_H
#define SR_JOB_PIECES_H

#include <mpi.h>

#include <seqring/status.h>
#include <seqring/types.h>

/* Does one piece: rows, which lie in memory at `at`. */
typedef sr_status sr_piece_fn(void *data, int tensor, const sr_rows *rows, void *at);

/* Calls piece for all rows, in ascending order, and agrees with the other ranks after each. row_bytes is the size of a
 * row in memory. *seconds grows by the time spent in piece. Collective. */
sr_status sr_pieces(MPI_Comm comm, const sr_rows *rows, uint64_t row_bytes, void *memory, int tensor,
                    sr_piece_fn *piece, void *data, double *seconds);

#endif
