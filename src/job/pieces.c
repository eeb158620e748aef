#include "pieces.h"

#include "base/clock.h"
#include "base/error.h"
#include "comm/comm.h"

/* A rank that fails is heard of after the others' current piece: a second or so on a slow disk. */
enum { PIECE_BYTES = 64 << 20, PIECE_SPANS = 64 };

/* Where the next piece begins. */
typedef struct cursor {
  const sr_rows *rows;
  int span;
  int64_t done; /* rows of this span */
} cursor;

/* The next rows, at most limit in PIECE_SPANS spans; none at the end. */
static sr_rows next_piece(cursor *at, int64_t limit, sr_span span[PIECE_SPANS]) {
  sr_rows piece = {.span = span};
  while (at->span < at->rows->n_spans && piece.count < limit && piece.n_spans < PIECE_SPANS) {
    const sr_span *whole = &at->rows->span[at->span];
    const int64_t left = whole->count - at->done, room = limit - piece.count;
    const int64_t count = left < room ? left : room;
    if (count > 0) span[piece.n_spans++] = (sr_span){.start = whole->start + at->done, .count = count};
    piece.count += count;
    at->done += count;
    if (at->done == whole->count) *at = (cursor){.rows = at->rows, .span = at->span + 1};
  }
  return piece;
}

static int64_t count_pieces(const sr_rows *rows, int64_t limit) {
  sr_span span[PIECE_SPANS];
  cursor at = {.rows = rows};
  int64_t n = 0;
  while (next_piece(&at, limit, span).count > 0) n++;
  return n;
}

sr_status sr_pieces(MPI_Comm comm, const sr_rows *rows, uint64_t row_bytes, void *memory, int tensor,
                    sr_piece_fn *piece, void *data, double *seconds) {
  int64_t limit = row_bytes < PIECE_BYTES ? (int64_t)(PIECE_BYTES / row_bytes) : 1;
  double rounds = (double)count_pieces(rows, limit);
  SR_TRY(sr_comm_max(comm, &rounds, 1));
  cursor at = {.rows = rows};
  char *to = memory;
  for (int64_t i = 0; i < (int64_t)rounds; i++) {
    sr_span span[PIECE_SPANS];
    const sr_rows next = next_piece(&at, limit, span);
    sr_status status = SR_OK;
    if (next.count > 0) {
      double start = sr_now();
      status = piece(data, tensor, &next, to);
      *seconds += sr_now() - start;
      to += (uint64_t)next.count * row_bytes;
    }
    SR_TRY(sr_agree(comm, status));
  }
  return SR_OK;
}
