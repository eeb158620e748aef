#include "pieces.h"

#include "base/clock.h"
#include "base/error.h"
#include "comm/comm.h"

/* A rank that fails is heard of after the others' current piece: a second or so on a slow disk. */
enum { PIECE_BYTES = 64 << 20 };

/* Where the next piece begins. */
typedef struct cursor {
  const sr_rows *rows;
  int span;
  int64_t done; /* rows of this span */
} cursor;

static int64_t count_pieces(const sr_rows *rows, int64_t limit) {
  int64_t n = 0;
  for (int i = 0; i < rows->n_spans; i++) n += (rows->span[i].count + limit - 1) / limit;
  return n;
}

/* The next rows, at most limit and all in one span; none at the end. */
static sr_span next_piece(cursor *at, int64_t limit) {
  while (at->span < at->rows->n_spans && at->done == at->rows->span[at->span].count) {
    at->span++;
    at->done = 0;
  }
  if (at->span == at->rows->n_spans) return (sr_span){0};
  const sr_span *span = &at->rows->span[at->span];
  int64_t left = span->count - at->done;
  sr_span piece = {.start = span->start + at->done, .count = left < limit ? left : limit};
  at->done += piece.count;
  return piece;
}

sr_status sr_pieces(MPI_Comm comm, const sr_rows *rows, uint64_t row_bytes, void *memory, int tensor,
                    sr_piece_fn *piece, void *data, double *seconds) {
  int64_t limit = row_bytes < PIECE_BYTES ? (int64_t)(PIECE_BYTES / row_bytes) : 1;
  double rounds = (double)count_pieces(rows, limit);
  SR_TRY(sr_comm_max(comm, &rounds, 1));
  cursor at = {.rows = rows};
  char *to = memory;
  for (int64_t i = 0; i < (int64_t)rounds; i++) {
    sr_span span = next_piece(&at, limit);
    sr_status status = SR_OK;
    if (span.count > 0) {
      double start = sr_now();
      status = piece(data, tensor, &(sr_rows){.count = span.count, .n_spans = 1, .span = &span}, to);
      *seconds += sr_now() - start;
      to += (uint64_t)span.count * row_bytes;
    }
    SR_TRY(sr_agree(comm, status));
  }
  return SR_OK;
}
