/* Places among rows, pieces of them, and parts that begin somewhere. */
#ifndef SR_BASE_ROWS_H
#define SR_BASE_ROWS_H

#include <seqring/status.h>
#include <seqring/types.h>

/* Whether spans lie in n rows, in ascending order; "are `what`" tells in the message what is to happen to the rows of
 * `where`. Errors: SR_ERR_ARGUMENT. */
sr_status sr_rows_check(const sr_rows *rows, int64_t n, const char *where, const char *what);

/* Where row `number` of all is among the rows that a rank holds, or -1. */
int64_t sr_rows_find(const sr_rows *rows, int64_t number);

/* Rows piece by piece, from {.rows = rows}. */
typedef struct sr_rows_cursor {
  const sr_rows *rows;
  int span;
  int64_t done; /* rows of this span */
} sr_rows_cursor;

enum { SR_PIECE_SPANS = 64 };

/* The next piece, whose spans are written to span; none at the end. It has `limit` rows, or those that are left, and up
 * to unit - 1 more, since a unit is not parted: `unit` rows of the tensor, from a multiple of it. It has fewer where
 * they lie in more than SR_PIECE_SPANS spans, which may part a unit. */
sr_rows sr_rows_next(sr_rows_cursor *at, int64_t limit, int64_t unit, sr_span span[SR_PIECE_SPANS]);

/* The last of n parts that begin, ascending from 0, at or before a position; 0 where there are none. */
int64_t sr_part_of(const int64_t *begin, int64_t n, int64_t position);

/* Where part i of n ends, the last of which does so at `end`. */
static inline int64_t sr_part_end(const int64_t *begin, int64_t n, int64_t i, int64_t end) {
  return i + 1 < n ? begin[i + 1] : end;
}

/* Length of the longest of n parts, all that is before `end` where n is 0. */
int64_t sr_part_longest(const int64_t *begin, int64_t n, int64_t end);

/* The first of n > 0 parts that does not begin where it may: the first one at 0, each further one from where the one
 * before it does to `end`. n when all do. */
int64_t sr_part_wrong(const int64_t *begin, int64_t n, int64_t end);

#endif
