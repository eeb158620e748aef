/* A KV shard as it is used and as it travels: its segments one behind the other, in each one K
 * [kv_heads][keys][head_dim] and then V [kv_heads][keys][value_dim] in the kernel's units (sr_tile), keys rounded up to
 * the kernel's key block with rows of zeros. */
#ifndef SR_PLAN_BLOCK_H
#define SR_PLAN_BLOCK_H

#include "decision.h"

/* One segment in a block. */
typedef struct sr_segment {
  sr_span keys;    /* absolute positions */
  int64_t padded;  /* keys rounded up */
  uint64_t offset; /* byte of the block where it starts */
} sr_segment;

sr_segment sr_block_segment(const sr_decision *d, const sr_shard *shard, int64_t i);

/* What of a segment's keys lies in a range of absolute positions; lo <= hi. */
sr_keys sr_block_sees(sr_span keys, sr_range range);

/* Bytes of a shard's block. */
uint64_t sr_block_bytes(const sr_decision *d, const sr_shard *shard);

/* Where one KV head's keys and values of a segment lie in a block. */
char *sr_block_k(const sr_decision *d, const sr_segment *segment, int64_t head, char *block);
char *sr_block_v(const sr_decision *d, const sr_segment *segment, int64_t head, char *block);

#endif
