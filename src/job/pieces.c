#include "pieces.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/rows.h"
#include "comm/comm.h"

/* A rank that fails is heard of after the others' current piece: a second or so on a slow disk, longer where a unit is
 * large. */
enum { PIECE_BYTES = 64 << 20 };

static int64_t count_pieces(const sr_rows *rows, int64_t limit, int64_t unit) {
  sr_span span[SR_PIECE_SPANS];
  sr_rows_cursor at = {.rows = rows};
  int64_t n = 0;
  while (sr_rows_next(&at, limit, unit, span).count > 0) n++;
  return n;
}

sr_status sr_pieces(MPI_Comm comm, const sr_rows *rows, void *memory, const sr_piece_work *work, double *seconds) {
  const int64_t limit = work->row_bytes < PIECE_BYTES ? (int64_t)(PIECE_BYTES / work->row_bytes) : 1;
  int64_t rounds = count_pieces(rows, limit, work->unit);
  SR_TRY(sr_comm_max_i64(comm, &rounds, 1));
  sr_rows_cursor at = {.rows = rows};
  char *to = memory;
  for (int64_t i = 0; i < rounds; i++) {
    sr_span span[SR_PIECE_SPANS];
    const sr_rows next = sr_rows_next(&at, limit, work->unit, span);
    sr_status status = SR_OK;
    if (next.count > 0) {
      double start = sr_now();
      status = work->piece(work->data, work->tensor, &next, to);
      *seconds += sr_now() - start;
      to += (uint64_t)next.count * work->row_bytes;
    }
    SR_TRY(sr_agree(comm, status));
  }
  return SR_OK;
}
