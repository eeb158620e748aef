#include "rows.h"

int64_t sr_rows_find(const sr_rows *rows, int64_t number) {
  int64_t row = 0;
  for (int i = 0; i < rows->n_spans; i++) {
    const sr_span span = rows->span[i];
    if (number >= span.start && number < span.start + span.count) return row + number - span.start;
    row += span.count;
  }
  return -1;
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
