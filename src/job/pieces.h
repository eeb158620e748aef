/* Rows in pieces of a bounded size, so that a failure on one rank ends the work on all of them soon. */
#ifndef SR_JOB_PIECES_H
#define SR_JOB_PIECES_H

#include <mpi.h>

#include <seqring/status.h>
#include <seqring/types.h>

/* Does one piece: rows, which lie in memory at `at`. */
typedef sr_status sr_piece_fn(void *data, int tensor, const sr_rows *rows, void *at);

/* What is done with rows, and in which measure. */
typedef struct sr_piece_work {
  sr_piece_fn *piece;
  void *data;
  int tensor;
  uint64_t row_bytes; /* of a row in memory */
  int64_t unit;       /* pieces end with multiples of so many rows of the tensor: those that are stored together */
} sr_piece_work;

/* Calls the work's function for all rows, in ascending order, and agrees with the other ranks after each piece.
 * *seconds grows by the time spent in it. Collective. */
sr_status sr_pieces(MPI_Comm comm, const sr_rows *rows, void *memory, const sr_piece_work *work, double *seconds);

#endif
