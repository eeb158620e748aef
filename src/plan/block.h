/* Keys and values as they are used and as they travel: the segments that have some of a set of tokens, one behind the
 * other, in each one K [kv_heads][keys][head_dim] and then V [kv_heads][keys][value_dim] in the kernel's units
 * (sr_tile), keys rounded up to the kernel's key block. Keys that are not in the set, and no keys at all, are rows of
 * zeros. */
#ifndef SR_PLAN_BLOCK_H
#define SR_PLAN_BLOCK_H

#include <stdbool.h>

#include "comm/transfer.h"
#include "kernels/kernel.h"
#include "schedule/mask.h"
#include "schedule/tokens.h"

/* What a block's layout depends on besides its tokens. */
typedef struct sr_block_shape {
  const sr_kernel *kernel;
  int64_t kv_len, kv_heads, head_dim, value_dim;
} sr_block_shape;

/* One segment in a block. */
typedef struct sr_segment {
  sr_span keys;    /* absolute positions of the whole segment */
  int64_t padded;  /* keys rounded up */
  uint64_t offset; /* byte of the block where it starts */
} sr_segment;

typedef struct sr_block {
  int64_t n;      /* segments */
  sr_tokens runs; /* of these, by number */
  sr_tokens tokens;
  uint64_t bytes;
} sr_block;

/* Lays a block out. False when there is no memory. */
bool sr_block_make(sr_arena *arena, const sr_block_shape *shape, sr_tokens tokens, sr_block *block);

/* The i-th segment of a block, which has it. */
sr_segment sr_block_segment(const sr_block_shape *shape, const sr_block *block, int64_t i);

/* Where the segment that starts at a position comes among those of a block, which has it. */
int64_t sr_block_find(const sr_block *block, int64_t start);

/* Keys of a segment that stand before a position. */
static inline int32_t sr_block_clip(int64_t position, sr_span keys) {
  const int64_t at = position - keys.start;
  return (int32_t)(at < 0 ? 0 : at > keys.count ? keys.count : at);
}

/* What of a segment's keys lies in a range of absolute positions; lo <= hi. */
static inline sr_keys sr_block_sees(sr_span keys, sr_range range) {
  return (sr_keys){sr_block_clip(range.lo, keys), sr_block_clip(range.hi, keys)};
}

/* Where one KV head's keys and values of a segment lie in a block's memory. */
char *sr_block_k(const sr_block_shape *shape, const sr_segment *segment, int64_t head, char *memory);
char *sr_block_v(const sr_block_shape *shape, const sr_segment *segment, int64_t head, char *memory);

/* Bytes in which a set of tokens travels. */
uint64_t sr_block_message_bytes(const sr_block_shape *shape, sr_tokens tokens);

/* Stretches of a block's memory that hold a set of its tokens, at most sr_block_most_stretches; returns how many. */
int64_t sr_block_most_stretches(const sr_block_shape *shape, sr_tokens tokens);
int64_t sr_block_stretches(const sr_block_shape *shape, const sr_block *block, sr_tokens tokens, char *memory,
                           sr_stretch *stretch);

/* Clears the rows of a block that no token of it takes. */
void sr_block_clear_rest(const sr_block_shape *shape, const sr_block *block, char *memory);

#endif
