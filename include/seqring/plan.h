/* Exact attention over a sequence sharded over the ranks of a communicator: plan, execute, destroy.
 *
 *   sr_options opt;
 *   sr_options_default(&opt);
 *   opt.q_len = opt.kv_len = 65536;  opt.q_heads = 8;  opt.kv_heads = 2;  opt.head_dim = opt.value_dim = 64;
 *   opt.mask.causal = true;
 *   sr_plan *plan;
 *   sr_rows q_rows, kv_rows;
 *   sr_status status = sr_plan_create(MPI_COMM_WORLD, &opt, &plan);
 *   if (status == SR_OK) {
 *     sr_plan_q_rows(plan, &q_rows);           // which queries this rank holds, and
 *     sr_plan_kv_rows(plan, &kv_rows);         // which keys and values: q, k and v are filled by them
 *     status = sr_plan_forward(plan, &(sr_tensors){.q = q, .k = k, .v = v, .o = o, .lse = lse});
 *   }
 *   if (status != SR_OK) fprintf(stderr, "%s\n", sr_error_text());
 *   sr_plan_destroy(&plan);
 *
 * For query i and head h, with the keys j that the mask shows it and g = h / (q_heads / kv_heads),
 *
 *   s_j      = scale * sum_d q[i,h,d] k[j,g,d] - slopes[h] * (position of i - j)
 *   lse[i,h] = log(sum_j exp(s_j))
 *   o[i,h,:] = sum_j exp(s_j - lse[i,h]) v[j,g,:]
 *
 * Keys and values travel between ranks (distribution.h), or a few queries to all of them; each rank folds what it meets
 * into online softmaxes (Milakov and Gimelshein, arXiv:1805.02867; Liu, Zaharia and Abbeel, arXiv:2310.01889). The bits
 * of o and lse depend on the build and on the instruction set, never on the number of ranks or threads, nor on what
 * travels how. Sums are in float32 (float64 for float64 input), so that values of k and v should stay below 1/1024 of
 * its range.
 */
#ifndef SEQRING_PLAN_H
#define SEQRING_PLAN_H

#include <mpi.h>

#include "costs.h"
#include "distribution.h"
#include "mask.h"
#include "status.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What q, k, v and the softmax's weights are multiplied in. Sums are in float32, or float64. */
typedef enum sr_products {
  SR_PRODUCTS_AUTO, /* float64 for float64 input, else float32: exact but for the rounding of sums */
  SR_PRODUCTS_BF16  /* bfloat16: inputs and weights are rounded to 8 bits. 1.6 to 1.9 times as fast on processors with
                       AVX512_BF16; elsewhere as exact and not faster */
} sr_products;

/* Up to so many queries travel to the keys and values, and not these to them: reading keys takes longer then than
 * computing with them. */
enum { SR_DECODE_QUERIES = 16 };

/* Called by the thread that called sr_plan_forward, between tiles: done of total visible (query, key) pairs of this
 * rank's, each counted once a query head; never where it has none. */
typedef void sr_progress_fn(void *data, int64_t done, int64_t total);

#define SR_OPTIONS_VERSION 1

/* What is to be computed. Fill it with sr_options_default first. Every rank passes the same values, but for threads,
 * memory_limit, costs, progress and progress_data, and runs the same instruction set; else SR_ERR_ARGUMENT. */
typedef struct sr_options {
  uint32_t version;            /* SR_OPTIONS_VERSION, set by sr_options_default */
  int64_t q_len, kv_len;       /* tokens of q, and of k and v, over all ranks; >= 1 */
  int64_t q_heads, kv_heads;   /* q_heads is a multiple of kv_heads */
  int64_t head_dim, value_dim; /* elements of a head of q and k, and of v and o; 1 to SR_HEAD_DIM_MAX */
  sr_dtype dtype;              /* of q, k and v; float32 */
  sr_dtype out_dtype;          /* of o; float32 */
  sr_mask mask;                /* everything visible, last query aligned with last key */
  double scale;                /* of the scores: 0, or 1e-30 to 1e30 in size; NaN (the default): 1 / sqrt(head_dim) */
  const double *slopes; /* [q_heads] from 0 to 1e6, or NULL for 0, with a causal mask: what a score loses with each
                           token that its key stands further behind the query (ALiBi: Press et al.,
                           arXiv:2108.12409) */
  sr_strategy strategy; /* SR_STRATEGY_AUTO */
  int head_ranks;       /* SR_STRATEGY_HYBRID: ranks of a group, neighbours that deal their heads; a divisor of all;
                           0: any */
  sr_balance balance;   /* SR_BALANCE_AUTO */
  bool same_rows; /* queries are dealt as so many keys are, cut at multiples of SR_SEGMENT, as the layers of a model
                     want it: where q_len is kv_len a rank holds both of the same tokens. Not with
                     SR_BALANCE_WEIGHTED */
  int64_t q_room, kv_room; /* tokens to which the queries (of same_rows) and keys will grow: they are dealt as the begin
                              of so many, so that a plan of more of them lets ranks hold the same rows. 0: q_len, kv_len
                            */
  bool sink_queries;       /* queries meet sinks that lie before their window as sr_tensors.q_sinks, not as q: for a
                              window with sinks, and not with SR_STRATEGY_ULYSSES or SR_STRATEGY_HYBRID */
  const sr_costs *costs;   /* by which strategy and balance are chosen; rank 0's count; NULL: sr_costs_default's */
  bool no_overlap;         /* wait for keys and values before anything is computed, and not meanwhile */
  uint64_t piece_bytes;    /* in which keys and values travel, up to 2^28; 0: 4 MiB */
  sr_products products;    /* SR_PRODUCTS_AUTO */
  bool refuse_nonfinite;   /* fail with SR_ERR_NONFINITE when a visible input is NaN or Inf */
  int threads;             /* OpenMP threads of this rank; 0: OpenMP's own choice; no more than OMP_THREAD_LIMIT */
  uint64_t memory_limit;   /* bytes of this rank's workspace and of what its node shares, 0: no limit */
  sr_progress_fn *progress; /* or NULL */
  void *progress_data;
  uint64_t reserved[8]; /* zero */
} sr_options;

/* Fills in the defaults named above; lengths, heads and widths are left 0. Not collective. */
void sr_options_default(sr_options *options);

/* Tensors of one rank, row-major, token first; rows as sr_plan_q_rows and sr_plan_kv_rows give them. A pointer may be
 * NULL only where the rank has no rows. q, k and v are read only, while o and lse are written: these lie elsewhere. */
typedef struct sr_tensors {
  const void *q;       /* [local q rows, q_heads, head_dim] of dtype */
  const void *k;       /* [local kv rows, kv_heads, head_dim] of dtype */
  const void *v;       /* [local kv rows, kv_heads, value_dim] of dtype */
  void *o;             /* [local q rows, q_heads, value_dim] of out_dtype */
  void *lse;           /* [local q rows, q_heads] of float64 when dtype is float64, else float32; natural log */
  const void *q_sinks; /* as q, in which NaN and Inf are not counted; with sr_options.sink_queries only */
} sr_tensors;

/* What a plan decided, for this rank and for the job. */
typedef struct sr_plan_info {
  sr_strategy strategy; /* not SR_STRATEGY_AUTO */
  int head_ranks;       /* ranks that deal their heads; 1 where none do */
  sr_balance balance;   /* not SR_BALANCE_AUTO */
  const char *isa;      /* instruction set of the kernels */
  sr_dtype compute;     /* type of the products: float32, float64 or bfloat16 */
  sr_dtype lse_dtype;
  int ranks, rank, threads;
  int64_t q_start;         /* position of query 0 */
  double scale;            /* of the scores */
  int64_t q_rows, kv_rows; /* of this rank */
  int64_t tile_rows;       /* queries times heads that one tile holds */
  int64_t key_block;       /* keys that one step of a tile covers */
  uint64_t workspace;      /* bytes this rank's plan allocates, besides those that it shares */
  uint64_t shared;         /* bytes that it shares with the other ranks of its node */
  uint64_t touched;        /* bytes of these that it writes or reads: that count as its own while it does */
  uint64_t tensor_bytes;   /* bytes of this rank's q, k, v, o and lse, which the caller holds */
  uint64_t sent_bytes;     /* bytes that this rank sends in one forward: keys and values; where heads are dealt also
                              queries and results; decode: queries and partial results, to reductions */
  uint64_t far_bytes;      /* of these, to other nodes; decode: 0 */
  double seconds;          /* that a forward is expected to take, by the costs; infinite as in sr_plan_choice */
  double flops;      /* useful floating-point operations of the job: 2 (head_dim + value_dim) a visible pair and head */
  double rank_flops; /* those of this rank */
} sr_plan_info;

/* What the last forward cost this rank. */
typedef struct sr_plan_stats {
  double attention_s;  /* seconds in sr_plan_forward */
  double wait_s;       /* of these, seconds in which this rank waited for KV */
  uint64_t sent_bytes; /* as in sr_plan_info */
  int64_t nonfinite;   /* NaN and Inf elements of q, k and v that some query may see, over all ranks */
} sr_plan_stats;

/* One step of that: a block of keys and values is worked on while others come and go. */
typedef struct sr_step_stats {
  double work_s, wait_s; /* seconds of work, and then of waiting: for messages, and for ranks that share memory */
  uint64_t sent_bytes;   /* in messages that left meanwhile */
} sr_step_stats;

/* How far a recomputation of sampled rows in float64 is from the output. */
typedef struct sr_verify_result {
  int64_t rows;        /* (query, head) pairs compared */
  double o_error;      /* largest |o - reference| over max(1, |reference|) */
  double lse_error;    /* likewise of lse */
  double worst;        /* largest error as a share of what rounding can explain; above 1 the output is wrong */
  int64_t worst_query; /* where that was */
  int64_t worst_head;
} sr_verify_result;

typedef struct sr_plan sr_plan;

/* Decides everything that sr_plan_create would, allocates nothing that grows with the lengths, and reports it; what
 * needs more than memory_limit is reported, too. Collective over comm. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE,
 * SR_ERR_MPI. */
sr_status sr_plan_estimate(MPI_Comm comm, const sr_options *options, sr_plan_info *info);

/* One way to solve a problem, as all ranks together see it before any of it is done. */
typedef struct sr_plan_choice {
  sr_strategy strategy;
  int head_ranks;
  sr_balance balance;
  double seconds; /* that a forward is expected to take; infinite where it needs more than memory_limit, or than ranks
                     can share */
  uint64_t sent_bytes; /* as in sr_plan_info, of the rank that sends most */
  uint64_t workspace;  /* workspace and shared of sr_plan_info, of the rank that needs most */
} sr_plan_choice;

/* The ways that the options leave open and that may be the best, the one that a plan takes first, then by seconds: up
 * to room of them; choice may be NULL where room is 0. *n is how many there are. Collective over comm. Errors:
 * SR_ERR_ARGUMENT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_plan_choices(MPI_Comm comm, const sr_options *options, sr_plan_choice *choice, int room, int *n);

/* Makes a plan: checks the options, duplicates comm, allocates the workspace. Collective over comm; *plan is NULL on
 * failure. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE (over memory_limit, or no memory), SR_ERR_MPI. */
sr_status sr_plan_create(MPI_Comm comm, const sr_options *options, sr_plan **plan);

/* The queries, and the keys and values, that this rank holds. The spans live as long as the plan. Not collective. */
void sr_plan_q_rows(const sr_plan *plan, sr_rows *rows);
void sr_plan_kv_rows(const sr_plan *plan, sr_rows *rows);

/* What the plan decided. Not collective. */
void sr_plan_describe(const sr_plan *plan, sr_plan_info *info);

/* Computes o and lse. May be called any number of times. Collective over the plan's communicator.
 * Errors: SR_ERR_ARGUMENT (a NULL tensor), SR_ERR_NONFINITE, SR_ERR_MPI. */
sr_status sr_plan_forward(sr_plan *plan, const sr_tensors *tensors);

/* What the last sr_plan_forward of this plan cost; zeros before the first. Not collective. */
void sr_plan_stats_get(const sr_plan *plan, sr_plan_stats *stats);

/* Its steps: none before the first forward, nor of a decode. They live until the next forward. Where heads are dealt,
 * the exchanges before and after are no steps. Not collective. */
const sr_step_stats *sr_plan_steps(const sr_plan *plan, int64_t *n);

/* Recomputes n_queries queries (all their heads) in float64 by the plain definition, and compares them with tensors->o
 * and tensors->lse: of each of n_queries equal runs one that seed chooses, but of the last run the last. More than
 * q_len are q_len. Collective over the plan's communicator. Errors: SR_ERR_WRONG when the output is further off than
 * rounding explains, SR_ERR_ARGUMENT, SR_ERR_RESOURCE, SR_ERR_MPI. */
sr_status sr_plan_verify(sr_plan *plan, const sr_tensors *tensors, int64_t n_queries, uint64_t seed,
                         sr_verify_result *result);

/* Moves query 0 to another position, for a plan of up to SR_DECODE_QUERIES queries: keys of causal masks come into
 * sight. All ranks call it alike. Not collective. Errors: SR_ERR_ARGUMENT. */
sr_status sr_plan_move(sr_plan *plan, int64_t q_start);

/* Frees the plan and sets *plan to NULL; accepts a NULL plan. Not to be called after SR_ERR_MPI, when messages may
 * still be on their way to the plan's memory: end the program instead. Collective over the plan's communicator. */
void sr_plan_destroy(sr_plan **plan);

#ifdef __cplusplus
}
#endif
#endif
