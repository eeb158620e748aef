#include "block.h"

#include "schedule/segment.h"

static int64_t pad(const sr_decision *d, int64_t keys) {
  int64_t block = d->kernel->key_block;
  return (keys + block - 1) / block * block;
}

sr_segment sr_block_segment(const sr_decision *d, const sr_shard *shard, int64_t i) {
  sr_span keys = sr_shard_segment(shard, i);
  return (sr_segment){.keys = keys, .padded = pad(d, keys.count), .offset = (uint64_t)i * SR_SEGMENT * d->kv_row_bytes};
}

static int32_t clip(int64_t position, sr_span keys) {
  int64_t at = position - keys.start;
  return (int32_t)(at < 0 ? 0 : at > keys.count ? keys.count : at);
}

sr_keys sr_block_sees(sr_span keys, sr_range range) {
  return (sr_keys){clip(range.lo, keys), clip(range.hi, keys)};
}

uint64_t sr_block_bytes(const sr_decision *d, const sr_shard *shard) {
  int64_t n = sr_shard_segments(shard);
  if (n == 0) return 0;
  sr_segment last = sr_block_segment(d, shard, n - 1);
  return last.offset + (uint64_t)last.padded * d->kv_row_bytes;
}

char *sr_block_k(const sr_decision *d, const sr_segment *s, int64_t head, char *block) {
  return block + s->offset + (uint64_t)(head * s->padded) * sr_key_bytes(d->kernel, d->opt.head_dim);
}

char *sr_block_v(const sr_decision *d, const sr_segment *s, int64_t head, char *block) {
  char *values = sr_block_k(d, s, d->opt.kv_heads, block);
  return values + (uint64_t)(head * s->padded) * sr_value_bytes(d->kernel, d->opt.value_dim);
}
