#include "rows.h"

#include <inttypes.h>
#include <stdbool.h>

#include "error.h"

static bool fits(sr_span span, int64_t n) {
  return span.start >= 0 && span.count >= 0 && span.start <= n && span.count <= n - span.start;
}

sr_status sr_rows_check(const sr_rows *rows, int64_t n, const char *where, const char *what) {
  int64_t end = 0;
  for (int i = 0; i < rows->n_spans; i++) {
    const sr_span span = rows->span[i];
    if (!fits(span, n))
      return sr_fail(SR_ERR_ARGUMENT, "%s: %" PRId64 " rows from row %" PRId64 " are %s, and it has %" PRId64, where,
                     span.count, span.start, what, n);
    if (span.start < end)
      return sr_fail(SR_ERR_ARGUMENT, "%s: rows from row %" PRId64 " are %s behind row %" PRId64, where, span.start,
                     what, end - 1);
    end = span.start + span.count;
  }
  return SR_OK;
}

int64_t sr_rows_find(const sr_rows *rows, int64_t number) {
  int64_t row = 0;
  for (int i = 0; i < rows->n_spans; i++) {
    const sr_span span = rows->span[i];
    if (number >= span.start && number < span.start + span.count) return row + number - span.start;
    row += span.count;
  }
  return -1;
}

sr_rows sr_rows_next(sr_rows_cursor *at, int64_t limit, int64_t unit, sr_span span[SR_PIECE_SPANS]) {
  sr_rows piece = {.span = span};
  int64_t last_unit = -1;
  while (at->span < at->rows->n_spans && piece.n_spans < SR_PIECE_SPANS) {
    const sr_span *whole = &at->rows->span[at->span];
    const int64_t start = whole->start + at->done, end = whole->start + whole->count;
    if (piece.count >= limit && start / unit != last_unit) break;
    const int64_t room = piece.count < limit ? limit - piece.count : 1;
    const int64_t unit_end = ((start + room - 1) / unit + 1) * unit, stop = unit_end < end ? unit_end : end;
    if (start < stop) {
      span[piece.n_spans++] = (sr_span){.start = start, .count = stop - start};
      last_unit = (stop - 1) / unit;
    }
    piece.count += stop - start;
    at->done += stop - start;
    if (stop == end) *at = (sr_rows_cursor){.rows = at->rows, .span = at->span + 1};
  }
  return piece;
}

int64_t sr_part_of(const int64_t *begin, int64_t n, int64_t position) {
  int64_t lo = 0, hi = n; /* it is one of these */
  while (hi - lo > 1) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (begin[middle] <= position)
      lo = middle;
    else
      hi = middle;
  }
  return lo;
}

int64_t sr_part_longest(const int64_t *begin, int64_t n, int64_t end) {
  int64_t longest = n > 0 ? 0 : end;
  for (int64_t i = 0; i < n; i++) {
    const int64_t length = sr_part_end(begin, n, i, end) - begin[i];
    if (length > longest) longest = length;
  }
  return longest;
}

int64_t sr_part_wrong(const int64_t *begin, int64_t n, int64_t end) {
  if (begin[0] != 0) return 0;
  int64_t i = 1;
  while (i < n && begin[i] >= begin[i - 1] && begin[i] <= end) i++;
  return i;
}
