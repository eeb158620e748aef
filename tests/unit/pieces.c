/* Rows piece by piece: all of them, in order, and no unit in two pieces. */
#include "base/rows.h"
#include "suite.h"

enum { MOST_SPANS = SR_PIECE_SPANS + 40 };

/* Spans of 0 to 40 rows behind gaps of 1 to `gap`. */
static sr_rows random_rows(uint64_t *state, int n, int gap, sr_span span[MOST_SPANS]) {
  sr_rows rows = {.n_spans = n, .span = span};
  int64_t end = 0;
  for (int i = 0; i < n; i++) {
    span[i].start = end + random_int(state, i > 0, gap);
    span[i].count = random_int(state, 0, 40);
    end = span[i].start + span[i].count;
    rows.count += span[i].count;
  }
  return rows;
}

/* Takes all pieces, and compares them row by row with the rows. */
static void check_pieces(const sr_rows *rows, int64_t limit, int64_t unit) {
  sr_rows_cursor from = {.rows = rows}, all = {.rows = rows};
  sr_span span[SR_PIECE_SPANS], one[SR_PIECE_SPANS];
  int64_t left = rows->count, last = -1;
  bool full = false;
  for (sr_rows piece = sr_rows_next(&from, limit, unit, span); piece.count > 0;
       piece = sr_rows_next(&from, limit, unit, span)) {
    CU_ASSERT(last < 0 || span[0].start / unit != last / unit || full);
    full = piece.n_spans == SR_PIECE_SPANS;
    CU_ASSERT(piece.count < limit + unit && (piece.count >= limit || piece.count == left || full));
    for (int i = 0; i < piece.n_spans; i++)
      for (int64_t row = span[i].start; row < span[i].start + span[i].count; row++) {
        CU_ASSERT(sr_rows_next(&all, 1, 1, one).count == 1 && one[0].start == row);
        last = row;
      }
    left -= piece.count;
  }
  CU_ASSERT_EQUAL(left, 0);
}

static void pieces(void) {
  uint64_t state = 3;
  sr_span span[MOST_SPANS];
  for (int round = 0; round < 3000; round++) {
    const int n = (int)random_int(&state, 0, round % 10 ? 12 : MOST_SPANS);
    const sr_rows rows = random_rows(&state, n, round % 3 ? 5 : 90, span);
    check_pieces(&rows, random_int(&state, 1, 70), random_int(&state, 1, round % 2 ? 1 : 100));
  }
}

int main(void) {
  return run_suite("pieces", (const test_case[]){{"pieces", pieces}, {0}});
}
