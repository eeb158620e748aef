/* What a benchmark of attention goes through: lists of shapes, masks, types and threads, and all combinations of them.
 */
#ifndef SR_BENCH_SWEEP_H
#define SR_BENCH_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include <seqring/status.h>
#include <seqring/types.h>

#include "base/distribution.h"

/* The lists, in the order in which combinations follow one another: the last one changes fastest. */
typedef enum sr_axis {
  SR_AXIS_DTYPE,
  SR_AXIS_HEADS,
  SR_AXIS_DIM,
  SR_AXIS_QUERIES,
  SR_AXIS_SEQ,
  SR_AXIS_MASK,
  SR_AXIS_THREADS,
  SR_AXIS_STRATEGY,
  SR_AXIS_BALANCE,
  SR_N_AXES
} sr_axis;

enum { SR_AXIS_ITEMS = 64 };

/* An item is one number, or several: query and KV heads, widths of k and of v, a strategy and its groups. */
typedef struct sr_item {
  int64_t first, second, third;
} sr_item;

typedef struct sr_list {
  int n;
  sr_item item[SR_AXIS_ITEMS];
} sr_list;

typedef struct sr_sweep {
  sr_list axis[SR_N_AXES];
} sr_sweep;

/* One combination. */
typedef struct sr_case {
  sr_dtype dtype;
  int64_t q_heads, kv_heads;
  int64_t head_dim, value_dim;
  int64_t q_len, kv_len;
  bool causal;
  int64_t window; /* keys to the left, -1: unlimited */
  int threads;    /* 0: automatic */
  sr_strategy_words strategy;
  sr_balance balance;
} sr_case;

/* Reads the list of one axis, whose items are separated by commas. A failure reads "--seq: '4x' is not ...".
 * Errors: SR_ERR_ARGUMENT. */
sr_status sr_list_parse(sr_axis axis, const char *text, sr_list *list);

/* Number of combinations, and the i-th of them. */
int64_t sr_sweep_cases(const sr_sweep *sweep);
sr_case sr_sweep_case(const sr_sweep *sweep, int64_t i);

/* Queries of a combination of these two items. */
static inline int64_t sr_sweep_q_len(sr_item queries, sr_item seq) {
  return queries.first ? queries.first : seq.first;
}

/* A combination in the words of the lists. */
typedef struct sr_case_text {
  const char *dtype;
  char heads[48], dim[48], mask[48];
} sr_case_text;

void sr_case_describe(const sr_case *what, sr_case_text *text);

#endif
