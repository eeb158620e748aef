/* The inside of a plan: its decision, its communicator and its one workspace.
 *
 * Words of this folder:
 *   site         the ranks of a communicator, and which of them share a node
 *   way          a strategy with its groups and its balance: one of those that a plan chooses from
 *   team         ranks that have their keys and values, or their heads, in common
 *   sight        the keys that the mask shows a query, in two runs: sinks, and the window
 *   segment      SR_SEGMENT keys, whose sums are formed as one
 *   tile         rows of queries that meet keys together; a batch of tiles is what a thread takes at a time
 *   to meet      to multiply a tile with keys and add up their values; to fold: to join a segment's sums to the state
 *   state        what of a tile lasts from one chunk of keys to the next: its packed queries and its accumulator
 *   step         of the schedule: what has arrived is met while the next keys and values travel
 */
#ifndef SR_PLAN_PLAN_H
#define SR_PLAN_PLAN_H

#include "comm/shared.h"
#include "comm/transfer.h"
#include "decision.h"
#include "exchange.h"
#include "workspace.h"

struct sr_plan {
  sr_decision d;
  MPI_Comm comm;
  MPI_Comm team;    /* of the ranks that share buffers; MPI_COMM_NULL where there is one */
  sr_shared shared; /* their buffers */
  void *memory;     /* that is not shared */
  sr_workspace workspace;
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

/* SR_ERR_NONFINITE when the caller wants to be refused and stats.nonfinite is not 0. */
sr_status sr_plan_refuse_nonfinite(const sr_plan *plan);

/* Tells the caller how far this rank is: pairs of a row and a key. For the thread that called sr_plan_forward. */
void sr_plan_progress(const sr_plan *plan, const int64_t *done);

/* Queries as they meet a run. */
const void *sr_plan_queries(const sr_decision *d, const sr_tensors *tensors, int run);

/* SR_ERR_ARGUMENT where a tensor that has rows is NULL. */
sr_status sr_plan_check_tensors(const sr_plan *plan, const sr_tensors *tensors);

#endif
