/* What a plan decides before it allocates anything: a pure function of the options, the ranks and the rank. */
#ifndef SR_PLAN_DECISION_H
#define SR_PLAN_DECISION_H

#include <seqring/plan.h>

#include "kernels/kernel.h"
#include "schedule/mask.h"
#include "schedule/shard.h"

typedef struct sr_decision {
  sr_options opt;
  int rank, ranks, threads;
  bool few; /* queries: they travel, and keys and values stay where they are */
  const sr_kernel *kernel;
  bool zigzag;
  int64_t q_start;
  double scale;
  sr_dtype lse_dtype;
  int64_t group;         /* query heads that share a KV head */
  sr_shard q, kv;        /* this rank's tokens */
  int64_t head_tiles;    /* tiles of one KV head */
  int64_t tiles;         /* of all KV heads */
  int64_t segments;      /* of the whole sequence of keys */
  uint64_t kv_row_bytes; /* one packed key and value of all KV heads */
  uint64_t shard_bytes;  /* the largest KV shard of any rank */
  int buffers;           /* KV shards a rank has room for */
  uint64_t tile_bytes;   /* packed queries of a tile */
  uint64_t acc_bytes;    /* accumulator of a tile */
  int64_t parts;         /* a few queries: groups of KV heads that threads take apart */
  int64_t batch;         /* tiles that a thread takes at a time, at most */
  int64_t n_batches;
  int32_t chunk;         /* keys that the tiles of a batch meet in turn */
  uint64_t worker_bytes; /* of a thread */
  uint64_t workspace;    /* bytes of all that */
  uint64_t tensor_bytes; /* of this rank's q, k, v, o and lse */
  uint64_t sent_bytes;   /* by this rank in one forward */
  double rank_pairs;     /* visible (query, key) pairs of this rank */
} sr_decision;

/* Checks the options and decides. Not collective. Errors: SR_ERR_ARGUMENT. */
sr_status sr_decide(const sr_options *options, int ranks, int rank, sr_decision *decision);

/* KV shard of a rank, and its bytes when it travels. */
sr_shard sr_decision_kv(const sr_decision *d, int rank);
uint64_t sr_decision_kv_bytes(const sr_decision *d, int rank);

/* Bytes of a plan's query_norm and key_norm. */
uint64_t sr_query_norm_bytes(const sr_decision *d);
uint64_t sr_key_norm_bytes(const sr_decision *d);

#endif
