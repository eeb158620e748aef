/* The inside of a plan: its decision, its communicator and its one workspace. */
#ifndef SR_PLAN_PLAN_H
#define SR_PLAN_PLAN_H

#include "batch.h"
#include "comm/shared.h"
#include "comm/transfer.h"
#include "decision.h"
#include "exchange.h"

struct sr_plan {
  sr_decision d;
  MPI_Comm comm;
  MPI_Comm team;    /* of the ranks that share buffers; MPI_COMM_NULL where there is one */
  sr_shared shared; /* their buffers */
  void *workspace;
  char *queries;                 /* [sets][kept] packed queries of tiles that keep their state */
  char *accumulators;            /* [kept]; a few queries: [threads][tiles] */
  char *buffer[SR_MOST_BUFFERS]; /* keys and values */
  char *workers;                 /* [threads] */
  sr_batch *batches;             /* [n_batches] */
  double *reduced;               /* what the decode strategy reduces over the ranks */
  double *query_norm; /* [sets][kept][tile] lengths of the queries, times scale * log2(e): of scores' units */
  double *key_norm;   /* [segments][kv_heads] of its longest key; infinite where keys or values are not tame (pack.c) */
  unsigned char *special; /* a few queries: bit i: what the shard's segment i gave is not finite */
  sr_transfer **transfer; /* [steps] messages of each step */
  sr_exchange exchange;   /* where heads are dealt */
  double all_pairs;       /* visible (query, key) pairs of all ranks, of each head */
  sr_plan_stats stats;
  sr_step_stats *step; /* [steps] of the last forward */
  int64_t steps_taken;
};

/* What of a tile is carried from one chunk of keys to the next. */
typedef struct sr_state {
  char *queries[SR_SIGHT_RUNS];      /* packed, as they meet a run of the mask */
  double *query_norm[SR_SIGHT_RUNS]; /* [tile] */
  sr_accumulator accumulator;
} sr_state;

/* Lays out a state whose sets of queries, and of lengths, are so many tiles apart. */
sr_state sr_state_at(const sr_decision *d, char *queries, double *query_norm, int64_t apart,
                     sr_accumulator accumulator);

/* The state that a tile keeps in the plan. */
sr_state sr_plan_kept(const sr_plan *plan, int64_t tile);

/* Of the segment that a key is in: an element for each KV head that this rank works on. */
double *sr_plan_key_norm(const sr_plan *plan, int64_t key);

/* The i-th accumulator. */
sr_accumulator sr_plan_accumulator(const sr_plan *plan, int64_t i);

/* The strategies: o and lse of this rank's rows, and the stats. Collective. Errors: SR_ERR_NONFINITE, SR_ERR_MPI. */
sr_status sr_plan_travel(sr_plan *plan, const sr_tensors *tensors);
sr_status sr_plan_decode(sr_plan *plan, const sr_tensors *tensors);

/* SR_ERR_NONFINITE when the caller wants to be refused and stats.nonfinite is not 0. */
sr_status sr_plan_refuse_nonfinite(const sr_plan *plan);

/* Tells the caller how far this rank is: pairs of a row and a key. For the thread that called sr_plan_forward. */
void sr_plan_progress(const sr_plan *plan, const int64_t *done);

/* A query in the kernel's units: times scale * log2(e), or rounded to bfloat16. */
void sr_pack_query(const sr_decision *d, const void *query, void *units);

/* NaN and Inf elements of q, and of a segment of this rank's shard of k and v, that some query sees. */
int64_t sr_nonfinite_queries(const sr_decision *d, const void *q);
int64_t sr_nonfinite_segment(const sr_decision *d, const sr_tensors *tensors, int64_t segment);

/* Makes the transfers of a plan whose buffers are there. Not collective. Errors: SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_plan_make_transfers(sr_plan *plan);

/* Converts what is worked on: k and v into their place in the team's first buffer, q into the tiles that keep their
 * state; fills in this rank's part of key_norm, whose other parts become 0. Returns the NaN and Inf elements of k and v
 * that some query sees, and those that sr_pack_tile tells of. */
int64_t sr_plan_pack(sr_plan *plan, const sr_tensors *tensors);

/* Converts a tile's queries into its state. Returns the NaN and Inf elements of q in queries that see keys, or 0 where
 * they have been counted before (sr_decision_counts_queries). */
int64_t sr_pack_tile(const sr_plan *plan, int64_t tile, const sr_tensors *tensors, const sr_state *state);

/* Queries as they meet a run. */
const void *sr_plan_queries(const sr_decision *d, const sr_tensors *tensors, int run);

/* Writes a tile's o and lse from what its rows see and from its accumulator, which is used up. */
void sr_unpack_tile(const sr_plan *plan, int64_t tile, const sr_sight *sees, sr_accumulator accumulator,
                    const sr_tensors *tensors);

/* SR_ERR_ARGUMENT where a tensor that has rows is NULL. */
sr_status sr_plan_check_tensors(const sr_plan *plan, const sr_tensors *tensors);

#endif
