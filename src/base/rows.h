/* Places among rows, and among parts that begin somewhere. */
#ifndef SR_BASE_ROWS_H
#define SR_BASE_ROWS_H

#include <seqring/types.h>

/* Where row `number` of all is among the rows that a rank holds, or -1. */
int64_t sr_rows_find(const sr_rows *rows, int64_t number);

/* The last of n parts that begin, ascending from 0, at or before a position; 0 where there are none. */
int64_t sr_part_of(const int64_t *begin, int64_t n, int64_t position);

#endif
