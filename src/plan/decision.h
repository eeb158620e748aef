/* What a plan decides before it allocates anything: a pure function of the options, the ranks and the rank. */
#ifndef SR_PLAN_DECISION_H
#define SR_PLAN_DECISION_H

#include <math.h>
#include <seqring/plan.h>

#include "batch.h"
#include "block.h"
#include "kernels/kernel.h"
#include "schedule/schedule.h"
#include "solver.h"

/* Buffers for keys and values that a schedule takes at most. */
enum { SR_MOST_BUFFERS = 3 };

/* What a rank works on: its own tokens and all heads, or those of its team and some heads. */
typedef struct sr_work {
  sr_tokens q, kv;
  int64_t q_heads, kv_heads, group; /* group: query heads that share a KV head */
  int64_t first_q_head, first_kv_head;
  bool counts; /* NaN and Inf of k and v, which no other rank does */
} sr_work;

typedef struct sr_stay sr_stay; /* stay.h */

typedef struct sr_decision {
  sr_options opt;
  int rank, ranks, threads;
  sr_way way;
  const sr_kernel *kernel;
  int64_t q_start;
  double scale;
  sr_dtype lse_dtype;
  int64_t group;   /* query heads that share a KV head */
  sr_tokens q, kv; /* this rank's tokens, which the caller has */
  sr_work work;
  int64_t head_tiles; /* tiles of one KV head */
  int64_t tiles;      /* of all KV heads */
  int64_t head_kept;  /* tiles of one KV head that keep their state from step to step */
  sr_stay *stay;      /* [n_stays] groups of tiles of one KV head, and where they begin */
  int64_t *stay_begin;
  int64_t n_stays;
  int64_t segments; /* of the whole sequence of keys */
  sr_partition partition;
  sr_schedule schedule; /* of this rank; without steps where queries travel */
  int team, member;     /* of this rank, and its place among the ranks of the team */
  int members;          /* ranks that share buffers with this one, itself included */
  sr_block_shape shape;
  sr_block *block; /* [steps] what a step works on */
  uint64_t buffer_bytes[SR_MOST_BUFFERS];
  int64_t sets;        /* of queries: one, or one for each run of the mask */
  uint64_t tile_bytes; /* packed queries of a tile, of one set */
  uint64_t acc_bytes;  /* accumulator of a tile */
  int64_t parts;       /* a few queries: groups of KV heads that threads take apart */
  int64_t batch;       /* tiles that a thread takes at a time, at most */
  int64_t n_batches;
  int32_t chunk;           /* keys that the tiles of a batch meet in turn */
  uint64_t worker_bytes;   /* of a thread */
  uint64_t workspace;      /* bytes of all that, but for what the team shares */
  uint64_t shared;         /* bytes that it shares: its buffers, where it has several ranks */
  uint64_t touched;        /* bytes of these that this rank writes or reads */
  uint64_t tensor_bytes;   /* of this rank's q, k, v, o and lse */
  uint64_t exchange_bytes; /* that this rank sends where tokens are dealt by heads */
  double seconds;          /* that a forward is expected to take on the slowest rank */
  uint64_t sent_bytes;     /* by this rank in one forward */
  uint64_t far_bytes;      /* of these, to other nodes */
  double rank_pairs;       /* visible (query, key) pairs that this rank works on, in each of its heads */
  sr_arena arena;          /* of what is pointed to, but for the partition and the schedule */
} sr_decision;

/* Decides what is left open by options, which have been checked, and by the way to go. To be freed in any case. Not
 * collective. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE. */
sr_status sr_decide(const sr_options *options, const sr_site *site, const sr_way *way, sr_decision *decision);
void sr_decision_free(sr_decision *decision);

/* Whether queries travel, and keys and values stay where they are. */
static inline bool sr_decision_decodes(const sr_decision *d) {
  return d->way.solver->strategy == SR_STRATEGY_DECODE;
}

/* A tile: consecutive rows of one KV head and one span of the queries that are worked on. Row r of a span is head r %
 * group of the KV head's query heads, of the span's query r / group. */
typedef struct sr_tile_rows {
  int64_t head;      /* KV head */
  int64_t first_row; /* in the span */
  int64_t rows;      /* 1 to the kernel's tile */
  int64_t position;  /* of the span's first query */
  int64_t local;     /* local index of the span's first query */
} sr_tile_rows;

sr_tile_rows sr_decision_tile(const sr_decision *d, int64_t tile);

/* A row of a tile: a query of the span, and a head of those of the KV head. */
typedef struct sr_row {
  int64_t query, head;
} sr_row;

/* The first row of a tile, and the one behind another. */
static inline sr_row sr_decision_first_row(const sr_decision *d, const sr_tile_rows *t) {
  return (sr_row){t->first_row / d->work.group, t->first_row % d->work.group};
}
static inline sr_row sr_decision_next_row(const sr_decision *d, sr_row row) {
  return row.head + 1 < d->work.group ? (sr_row){row.query, row.head + 1} : (sr_row){row.query + 1, 0};
}

/* Whether NaN and Inf of queries are counted before any tile is met, since they are refused or ranks add theirs up;
 * else they are where tiles are packed. */
static inline bool sr_decision_counts_queries(const sr_decision *d) {
  return d->opt.refuse_nonfinite || d->ranks > 1;
}

/* The order in which threads take batches. */
static inline sr_batch_order sr_decision_order(const sr_decision *d) {
  return d->opt.mask.window_left >= 0 ? SR_BATCH_FIRST_FIRST : SR_BATCH_LAST_FIRST;
}

/* The set of queries that meets a run. */
static inline int64_t sr_decision_set(const sr_decision *d, int run) {
  return d->sets == SR_SIGHT_RUNS ? run : 0;
}

/* What scores of a head lose with each token of distance, in log2 units: sr_tile's slope. */
static inline double sr_decision_slope(const sr_decision *d, int64_t work_head) {
  return d->opt.slopes ? d->opt.slopes[d->work.first_q_head + work_head] * M_LOG2E : 0;
}

/* Sets rank_pairs: again where q_start has changed. */
void sr_decision_count_pairs(sr_decision *d);

/* Tiles whose state a plan keeps from step to step; where queries travel that is all of them. */
static inline int64_t sr_decision_kept(const sr_decision *d) {
  return sr_decision_decodes(d) ? d->tiles : d->head_kept * d->work.kv_heads;
}

/* Bytes of the keys and values of this rank that are packed. */
uint64_t sr_decision_own_bytes(const sr_decision *d);

/* Bytes of the lengths of a tile's queries, and of a plan's key_norm. */
uint64_t sr_query_norm_bytes(const sr_decision *d);
uint64_t sr_key_norm_bytes(const sr_decision *d);

#endif
