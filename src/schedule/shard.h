/* Who owns which tokens. Queries are cut anywhere, keys and values at segment borders, so that a short sequence leaves
 * ranks without keys and none with a broken segment. */
#ifndef SR_SCHEDULE_SHARD_H
#define SR_SCHEDULE_SHARD_H

#include <stdbool.h>

#include <seqring/types.h>

enum { SR_SHARD_SPANS = 2 };

/* A rank's tokens: n spans in ascending order that do not touch. */
typedef struct sr_shard {
  int n;
  sr_span span[SR_SHARD_SPANS];
} sr_shard;

/* Rank's queries, and rank's keys, of a sequence over so many ranks. zigzag deals it the runs rank and 2 ranks - 1 -
 * rank of 2 ranks equal ones (Brandon et al., arXiv:2311.09431, cut it token by token; Megatron-LM's context
 * parallelism by runs), else the run rank of ranks equal ones. */
sr_shard sr_shard_queries(int64_t q_len, int ranks, int rank, bool zigzag);
sr_shard sr_shard_keys(int64_t kv_len, int ranks, int rank, bool zigzag);

/* Tokens in a shard. */
int64_t sr_shard_count(const sr_shard *shard);

/* Segments of a shard of keys, and the keys of its i-th. Only the last one can be short. */
int64_t sr_shard_segments(const sr_shard *shard);
sr_span sr_shard_segment(const sr_shard *shard, int64_t i);

#endif
